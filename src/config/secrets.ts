import { secretsOfUrl } from "../redact.js";
import { environment } from "./environment.js";
import { urlOf } from "./formats.js";
import type { Config } from "./schema.js";

/** Every secret that a configuration holds, and the password that the environment has beside it, for `createRedact`. */
export function secretsOf({ database, rpc }: Config): string[] {
  const { PGPASSWORD } = environment;
  const byUrls = [database.url, database.listen_url, ...rpc.urls.map(urlOf)].flatMap(secretsOfUrl);
  return PGPASSWORD ? [...byUrls, PGPASSWORD] : byUrls;
}
