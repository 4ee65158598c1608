import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Route } from "./handle.js";

/** A file that the page is made of; its name has its content's hash, so that it never changes. */
export interface Asset {
  name: string;
  type: string;
  body: string;
}

/** Where the build puts them: bin/bundle-page.mjs. */
const built = fileURLToPath(new URL("page", import.meta.url));

const types: Record<string, string> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
};

/** Reads what was bundled, once. */
export function loadAssets(folder = built): Asset[] {
  return readdirSync(folder).flatMap((name) => {
    const type = types[path.extname(name)];
    return type === undefined ? [] : [{ name, type, body: readFileSync(path.join(folder, name), "utf8") }];
  });
}

/** A route for each: kept for ever by whoever has it. */
export function assetRoutes(assets: readonly Asset[]): Route[] {
  return assets.map(({ name, type, body }) => ({
    path: `/page/${name}`,
    method: "GET",
    answer: async () => ({
      status: 200,
      type,
      body,
      headers: { "cache-control": "public, max-age=31536000, immutable" },
    }),
  }));
}
