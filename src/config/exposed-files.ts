import { statSync } from "node:fs";

/** Those of these files that every user of this host may read. One that is gone meanwhile is none. */
export function exposedFiles(files: readonly string[]): string[] {
  return files.filter((file) => ((statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o004) !== 0);
}
