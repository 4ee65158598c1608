import bunyan from "bunyan";
import type { Redact } from "./redact.js";

export type Log = bunyan;

/** Where finished lines go. */
export interface LogOutput {
  write(line: string): unknown;
}

/**
 * A bunyan logger whose every line passes `redact` as a whole, after it was serialised: whatever field
 * a secret hides in, it does not get out.
 */
export function createLog(options: {
  component: string;
  level: bunyan.LogLevelString;
  redact: Redact;
  output: LogOutput;
}): Log {
  const { component, level, redact, output } = options;
  return bunyan.createLogger({
    name: "blockmill",
    component,
    level,
    serializers: { err: bunyan.stdSerializers.err },
    stream: { write: (line: string) => output.write(redact(line)) } as unknown as NodeJS.WritableStream,
  });
}
