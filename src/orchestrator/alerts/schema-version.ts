import { schemaVersion as known } from "../../db/schema-version.js";
import type { Rule } from "./rule.js";

export const schemaVersion: Rule = {
  priority: "warning",
  look({ server }) {
    if (server === undefined || server.schemaVersion === null) return undefined;
    const version = server.schemaVersion;
    if (version === known) return null;
    return version < known
      ? `The schema has version ${version}, older than this program's ${known}: blockmill init brings it up to date.`
      : `The schema has version ${version}, newer than this program's ${known}: install the newer blockmill on this host too, then systemctl reload blockmill@NAME.`;
  },
};
