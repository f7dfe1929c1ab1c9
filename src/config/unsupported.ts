/** Settings of the contract that this version does not have yet, as patterns of their paths. */
export const unsupportedSettings: ReadonlySet<string> = new Set(['backend.passthrough']);

/** Values of the contract that this version does not have yet, by the pattern of their setting. */
export const unsupportedValues: ReadonlyMap<string, readonly string[]> = new Map([
  ['backend.anonymous', ['passthrough']],
  ['backend.unknownAccessKeys', ['passthrough']],
]);

/** Ends the message of a setting or value of the tables above. */
export const unsupportedMessage = 'not supported by this version';
