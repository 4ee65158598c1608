/** Hashes and addresses, whole or shortened; or else counts, sizes, ports, versions. */
const values = /(0x[0-9a-f]*(?:…|\.\.\.)?|\b[0-9a-f]{16,}\b)|\d[\d,._]*\d|\d/gi;

/** What failures of one kind have in common: their message without hashes and numbers. */
export function fingerprintOf(message: string): string {
  return message.replace(values, (_, hash?: string) => (hash === undefined ? "N" : "0x…")).slice(0, 300);
}
