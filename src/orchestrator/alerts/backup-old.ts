import type { Rule } from "./rule.js";

export const backupOld: Rule = {
  priority: "warning",
  look({ server }, limit) {
    if (server === undefined) return undefined;
    if (server.backupDays === null || server.backupDays <= limit) return null;
    return `The last backup by blockmill is ${Math.floor(server.backupDays)} days old. systemctl list-timers 'blockmill-backup@*', and journalctl -u 'blockmill-backup@*', say why there is no newer one; blockmill backup makes one now.`;
  },
};
