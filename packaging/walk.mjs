import { readdirSync } from "node:fs";
import path from "node:path";

/**
 * Everything below a folder, by its path from there, what a folder holds before the folder itself. Links
 * are not followed (readdir's own `recursive` does follow them).
 */
export function* walk(folder, prefix = "") {
  const entries = readdirSync(path.join(folder, prefix), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = path.join(prefix, entry.name);
    if (entry.isDirectory()) yield* walk(folder, name);
    yield name;
  }
}
