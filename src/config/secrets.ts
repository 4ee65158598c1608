import { secretsOfUrl } from "../redact.js";
import { environment } from "./environment.js";
import { urlOf } from "./formats.js";
import type { Config } from "./schema.js";

/** Every secret that a configuration holds, and the password that the environment has beside it, for `createRedact`. */
export function secretsOf({ database, rpc, alerts }: Config): string[] {
  const { PGPASSWORD } = environment;
  const { url, listen_url: listenUrl } = database;
  const byUrls = [url, listenUrl, ...rpc.urls.map(urlOf), alerts.webhook, alerts.heartbeat].flatMap(
    secretsOfUrl,
  );
  return PGPASSWORD ? [...byUrls, PGPASSWORD] : byUrls;
}
