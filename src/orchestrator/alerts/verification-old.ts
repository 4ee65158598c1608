import type { Rule } from "./rule.js";

export const verificationOld: Rule = {
  priority: "warning",
  look({ server }, limit) {
    if (server === undefined) return undefined;
    if (server.verificationDays === null || server.verificationDays <= limit) return null;
    return `Stored blocks were last proven ${Math.floor(server.verificationDays)} days ago. systemctl list-timers 'blockmill-verify@*', and journalctl -u 'blockmill-verify@*', say why; blockmill verify --sample 500 proves some now.`;
  },
};
