/** The text of an AssemblyScript module: imports exactly those names that its code has. */
export function moduleText(about: string, imports: Record<string, readonly string[]>, code: string): string {
  const words = new Set(code.match(/[A-Za-z_$][\w$]*/g));
  const lines = Object.entries(imports).flatMap(([from, names]) => {
    const used = [...new Set(names)].filter((name) => words.has(name));
    return used.length === 0 ? [] : [`import { ${used.join(", ")} } from "${from}";`];
  });
  return [`// Generated from src/fields: ${about}`, "", ...lines, "", code.trim(), ""].join("\n");
}
