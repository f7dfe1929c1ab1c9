/** Ends the message of a value that this version does not have yet. */
export const unsupportedMessage = 'not supported by this version';
