import { count } from "../../wording.js";
import type { Rule } from "./rule.js";

export const reorgDeep: Rule = {
  priority: "warning",
  look({ server }, limit) {
    if (server === undefined) return undefined;
    const { deepestReorg: reorg } = server;
    if (reorg === null || reorg.depth <= limit) return null;
    return `A reorg of ${count(reorg.depth)} blocks above block ${count(reorg.forkBlock)} was undone. The dropped rows are removed, and the new branch is stored. psql -c 'SELECT * FROM reorgs ORDER BY id DESC LIMIT 5' shows who told of it.`;
  },
};
