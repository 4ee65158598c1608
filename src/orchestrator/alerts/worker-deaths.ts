import { count } from "../../wording.js";
import type { Rule } from "./rule.js";
import { span } from "./wording.js";

export const workerDeaths: Rule = {
  priority: "err",
  look({ recent: { deaths, windowSeconds } }, limit) {
    if (deaths < 2 || deaths <= limit) return null;
    return `${count(deaths)} processes of the daemons died within ${span(windowSeconds)}. Each is replaced, and its blocks go to others. journalctl -u 'blockmill@*' -p err says how: SIGKILL is often the kernel's, for memory (journalctl -k | grep -i oom).`;
  },
};
