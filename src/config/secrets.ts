import { secretsOfUrl } from "../redact.js";
import { urlOf } from "./formats.js";
import type { Config } from "./schema.js";

/** Every secret that a configuration holds, for `createRedact`. */
export function secretsOf({ database, rpc }: Config): string[] {
  return [database.url, database.listen_url, ...rpc.urls.map(urlOf)].flatMap(secretsOfUrl);
}
