import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The code that children are forked from. */
export interface Installation {
  /** The folder that holds src/, compiled. */
  code: string;
  /** The Node that runs it. */
  node: string;
}

/**
 * Finds the release to fork from, now and again at each reload. An installed blockmill is started through
 * a symlink (/usr/lib/blockmill/current/bin/blockmill): that leads to the newest release. Anything else is
 * its own and only release. `program` is the script that Node was started with, its links not resolved.
 */
export function followInstallation(program = process.argv[1] ?? ""): () => Installation {
  const own = fileURLToPath(new URL("../../", import.meta.url));
  const link = path.join(path.dirname(path.dirname(path.resolve(program))), "dist");
  const linked = existsSync(link) && realpathSync(link) === realpathSync(own);
  return () => {
    if (!linked || !existsSync(link)) return { code: own, node: process.execPath };
    const code = realpathSync(link);
    const node = path.join(code, "../runtime/bin/node");
    return { code, node: existsSync(node) ? node : process.execPath };
  };
}
