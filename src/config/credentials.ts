import { readFileSync } from "node:fs";
import path from "node:path";
import { ConfigError } from "../errors.js";

/** The files that may stand in $CREDENTIALS_DIRECTORY, and the keys that they give. */
export const credentialKeys = {
  database_url: "database.url",
  database_listen_url: "database.listen_url",
  rpc_urls: "rpc.urls",
} as const;

/**
 * The credentials that lie beside a configuration file (/etc/blockmill/mainnet.database_url), for those keys that
 * `isWanted`. An empty or a missing one says nothing. Throws a ConfigError when one cannot be read.
 */
export function readCredentialsBeside(
  configuration: string,
  isWanted: (key: string) => boolean,
): Credential[] {
  const { dir, name: instance } = path.parse(configuration);
  return Object.entries(credentialKeys).flatMap(([name, key]) => {
    if (!isWanted(key)) return [];
    const file = path.join(dir, `${instance}.${name}`);
    const text = readCredential(file, file).trim();
    return text === "" ? [] : [{ path: key, source: file, text }];
  });
}

export interface Credential {
  path: string;
  source: string;
  text: string;
}

/**
 * The credentials that the service manager laid out for this process (systemd's LoadCredential=, see
 * https://systemd.io/CREDENTIALS). An empty or a missing one says nothing. Throws a ConfigError when one
 * cannot be read.
 */
export function readCredentials(directory: string): Credential[] {
  return Object.entries(credentialKeys).flatMap(([name, key]) => {
    const text = readCredential(path.join(directory, name), name).trim();
    return text === "" ? [] : [{ path: key, source: `credential ${name}`, text }];
  });
}

function readCredential(file: string, name: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return "";
    const advice = code === "EACCES" ? `: run this as root, or as a user who may read it` : "";
    throw new ConfigError(`the credential ${name}: it cannot be read (${code})${advice}`);
  }
}
