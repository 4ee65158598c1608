import { secretsOfUrl } from "../redact.js";
import { urlOf } from "./formats.js";
import type { Config } from "./schema.js";

/** Every secret that a configuration holds, for `createRedact`. */
export function secretsOf(config: Config): string[] {
  return [config.database.url, ...config.rpc.urls.map(urlOf)].flatMap(secretsOfUrl);
}
