import type { Rule } from "./rule.js";

export const noWorkers: Rule = {
  priority: "err",
  look({ processes }) {
    const workers = processes.filter(({ role }) => role === "worker");
    if (workers.some(({ state }) => state !== "starting")) return null;
    return workers.length === 0
      ? "No worker lives on any host: nothing is fetched. journalctl -u 'blockmill@*' -p err says why they died; systemctl restart blockmill@NAME starts them."
      : "Workers begin and do not become ready: nothing is fetched. journalctl -u 'blockmill@*' -p err says why.";
  },
};
