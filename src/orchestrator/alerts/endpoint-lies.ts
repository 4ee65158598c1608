import type { Rule } from "./rule.js";

export const endpointLies: Rule = {
  priority: "err",
  look({ processes, endpoints }) {
    const told = [...endpoints, ...processes.flatMap(({ doing }) => doing.endpoints ?? [])];
    const aside = told.filter((each) => each.aside === true);
    const names = [...new Set(aside.map(({ name }) => name))].sort();
    if (names.length === 0) return null;
    const reasons = names.map((name) => {
      const reason = aside.find((each) => each.name === name)?.reason ?? "no reason was told";
      return reason.includes(name) ? reason : `${name}: ${reason}`;
    });
    return `${names.length === 1 ? "An endpoint serves what is not true, and is" : "Endpoints serve what is not true, and are"} put aside for a while: ${reasons.slice(0, 3).join("; ")}. Nothing of it is stored. If it goes on, take ${names.join(" and ")} out of rpc.urls, then: systemctl reload blockmill@NAME.`;
  },
};
