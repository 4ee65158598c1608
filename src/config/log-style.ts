import { isatty } from "node:tty";
import type { PrettyOptions } from "../pretty-log.js";
import { environment } from "./environment.js";
import type { Config } from "./schema.js";
import { isJournal } from "./service.js";

export interface LogStyle {
  /** Whether the lines go to systemd's journal, which reads each one's priority. */
  journal: boolean;
  /** For people; undefined: JSON. */
  pretty: PrettyOptions | undefined;
}

/**
 * How log lines are written to a descriptor: as log.format says, or for people where it is a terminal. Colours only there,
 * and never when NO_COLOR is set (https://no-color.org).
 */
export function logStyle({ format }: Config["log"], fd: 1 | 2): LogStyle {
  const terminal = isatty(fd);
  const isPretty = format === "pretty" || (format === "auto" && terminal);
  const colours = terminal && !environment.NO_COLOR;
  return { journal: isJournal(fd), pretty: isPretty ? { terminal, colours } : undefined };
}
