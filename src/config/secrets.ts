import { secretsOfUrl } from "../redact.js";
import { environment } from "./environment.js";
import { urlOf } from "./formats.js";
import type { Config } from "./schema.js";

/** Every secret that a configuration holds, and the password that the environment has beside it, for `createRedact`. */
export function secretsOf({ database, rpc, ...newer }: Config): string[] {
  const { PGPASSWORD } = environment;
  // A child that outlived its release's folder may have been given the configuration of one that knew none of these.
  const { alerts, web }: Partial<Config> = newer;
  const urls = [
    database.url,
    database.listen_url,
    ...rpc.urls.map(urlOf),
    alerts?.webhook,
    alerts?.heartbeat,
  ];
  const secrets = urls.flatMap((url) => (url === undefined ? [] : secretsOfUrl(url)));
  return [...secrets, ...[PGPASSWORD, web?.token].flatMap((secret) => secret || [])];
}
