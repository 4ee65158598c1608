import { describeError } from "../../errors.js";
import type { Logger } from "../../logger.js";
import type { Redact } from "../../redact.js";
import type { Duty } from "../run-duties.js";
import { withoutPassword } from "./sinks.js";

const everyMs = 60_000;
const withinMs = 10_000;

/** Asks a URL once a minute while alerts are judged: who does not hear of us any more raises the last alert. */
export function createHeartbeat({
  url,
  isWell,
  log,
  redact,
}: {
  url: string;
  /** Whether the rules were judged lately. */
  isWell(): boolean;
  log: Logger;
  redact: Redact;
}): Duty {
  let fails = false;
  return {
    name: "heartbeat",
    async run() {
      if (!isWell()) return 1_000;
      try {
        const { href, authorization } = withoutPassword(url);
        const response = await fetch(href, {
          headers: { "user-agent": "blockmill", ...authorization },
          redirect: "follow",
          signal: AbortSignal.timeout(withinMs),
        });
        await response.body?.cancel();
        if (!response.ok) throw new Error(`HTTP status ${response.status}`);
        if (fails) log.info("the heartbeat is taken again");
        fails = false;
      } catch (error) {
        if (!fails)
          log.warn(
            { reason: redact(describeError(error, 300)) },
            "the heartbeat (alerts.heartbeat) is not taken",
          );
        fails = true;
      }
      return everyMs;
    },
  };
}
