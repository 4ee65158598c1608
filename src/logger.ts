import bunyan from "bunyan";
import { type PrettyOptions, prettyLine } from "./pretty-log.js";
import { quietOutages } from "./quiet-outages.js";
import type { Redact } from "./redact.js";

export type Logger = bunyan;

/** Where finished lines go. */
export interface LogOutput {
  write(line: string): unknown;
}

/**
 * A bunyan logger whose every line passes `redact` as a whole, after it was serialised: whatever field
 * a secret hides in, it does not get out. While the database is away it says little (quiet-outages.ts).
 */
export function createLogger(options: {
  component: string;
  level: bunyan.LogLevelString;
  redact: Redact;
  output: LogOutput;
  /** The output is systemd's journal: each line tells its priority, which journald takes off again. */
  journal?: boolean;
  /** Lines for people in place of JSON. */
  pretty?: PrettyOptions | undefined;
}): Logger {
  const { component, level, redact, output, journal = false, pretty } = options;
  const quiet = quietOutages();
  const write = (line: string) => {
    const said = quiet(line);
    if (said === undefined) return;
    const clean = redact(said);
    const text = pretty === undefined ? clean : prettyLine(clean, { ...pretty, redact });
    output.write((journal ? priorityPrefix(said) : "") + text);
  };
  return bunyan.createLogger({
    name: "blockmill",
    component,
    level,
    serializers: { err: bunyan.stdSerializers.err },
    stream: { write } as unknown as NodeJS.WritableStream,
  });
}

/**
 * The priority that journald reads off the front of a line (`<3>`), from bunyan's level:
 * https://www.freedesktop.org/software/systemd/man/sd-daemon.html
 */
function priorityPrefix(line: string): string {
  // Bunyan writes the level behind names that are ours alone: the first one is the record's.
  const level = Number(/"level":(\d+)/.exec(line)?.[1] ?? 30);
  const [, priority] = priorities.find(([least]) => level >= least) ?? [0, 7];
  return `<${priority}>`;
}

/** From fatal down: critical, error, warning, informational, debug. */
const priorities: [level: number, priority: number][] = [
  [60, 2],
  [50, 3],
  [40, 4],
  [30, 6],
  [0, 7],
];
