/**
 * Milliseconds of work that the process has done since a moment that `startCpuTime` marks. Unlike time on the clock it does not
 * grow while others have the processor, so a test may set it a limit.
 */
export function startCpuTime(): () => number {
  const start = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  };
}
