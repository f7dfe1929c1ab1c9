/** Settings of the contract that this version does not have yet, as patterns of their paths. */
export const unsupportedSettings: ReadonlySet<string> = new Set(['backend.passthrough']);

/** Ends the message of a setting of the table above. */
export const unsupportedMessage = 'not supported by this version';
