/** So many lines are said of an outage at first, ... */
const firstLines = 10;
/** ... and then one in so many milliseconds. */
const everyMs = 60_000;
/** Nothing was said for so long: what comes is another outage. */
const overMs = 120_000;

// As bunyan writes an error of src/errors.ts; a quote inside a message is escaped, so no message looks like it.
const ofOutage = /"err":\{"message":"(?:[^"\\]|\\.)*","name":"DatabaseUnavailableError"/;

/**
 * What a process's log says while the database is away: at most ten lines, then one a minute, which tells how many were
 * left out before it (`left_out`). Returns the line to write, or undefined. Every other line passes. `now`:
 * milliseconds that only grow.
 */
export function quietOutages(now = () => performance.now()): (line: string) => string | undefined {
  let said = 0;
  let leftOut = 0;
  let saidAt = Number.NEGATIVE_INFINITY;
  let metAt = Number.NEGATIVE_INFINITY;
  return (line) => {
    if (!ofOutage.test(line)) return line;
    const at = now();
    if (at - metAt >= overMs) said = 0;
    metAt = at;
    if (said >= firstLines && at - saidAt < everyMs) {
      leftOut += 1;
      return undefined;
    }
    const told = leftOut === 0 ? line : line.replace("{", `{"left_out":${leftOut},`);
    said += 1;
    leftOut = 0;
    saidAt = at;
    return told;
  };
}
