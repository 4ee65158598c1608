import { readFileSync } from "node:fs";

// dist/src/version.js -> package.json
const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

/** The program's version, from package.json. */
export const version: string = manifest.version;
