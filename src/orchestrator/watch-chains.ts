import type pg from "pg";
import type { Endpoints } from "../chain/endpoints.js";
import { ruleSettings } from "../config/alert-rules.js";
import type { Config } from "../config/schema.js";
import type { Logger } from "../logger.js";
import { createBoard } from "./alerts/board.js";
import type { Duty } from "./run-duties.js";

const everyMs = 1_000;

/** Raises an alert while an endpoint that served the right chain serves another one, and clears it when none does. */
export function createChainWatch({
  pool,
  config,
  endpoints,
  log,
}: {
  pool: pg.Pool;
  config: Pick<Config, "alerts">;
  endpoints: Pick<Endpoints, "status">;
  log: Logger;
}): Duty {
  const board = createBoard({ pool, log, settings: ruleSettings(config.alerts.rules) });
  let told = "";
  // At first nobody knows: an earlier leader may have raised it.
  let mayBeAlarmed = true;
  return {
    name: "watch chains",
    async run() {
      const message = describe(endpoints);
      if (message === told && !(message === "" && mayBeAlarmed)) return everyMs;
      if (message === "") await board.clear("other_chain");
      else await board.raise("other_chain", message);
      mayBeAlarmed = message !== "";
      told = message;
      return everyMs;
    },
  };
}

function describe(endpoints: Pick<Endpoints, "status">): string {
  const changed = endpoints.status().filter(({ servesOther }) => servesOther !== null);
  if (changed.length === 0) return "";
  const which = changed.map(
    ({ name, servesOther, capabilities }) =>
      `${name} serves chain ${servesOther} now, and served chain ${capabilities.chainId} before`,
  );
  return `${which.join("; ")}. Nothing that it serves is stored, and it is asked again by itself. Look at what runs behind its URL.`;
}
