// Rows as they lie in a binary COPY: https://www.postgresql.org/docs/current/sql-copy.html

import { CopyWriter } from "../../src/store/copy-writer.js";

/** The rows that `write` writes, each a list of its fields' bytes as hex; null: the field is null. */
export function copiedRows(write: (out: CopyWriter) => void): (string | null)[][] {
  const out = new CopyWriter();
  out.begin(Buffer.alloc(16));
  write(out);
  const bytes = out.bytesOf({ from: 0, to: out.size });
  const rows: (string | null)[][] = [];
  for (let at = 0; at < bytes.length; ) {
    const fields = bytes.readInt16BE(at);
    at += 2;
    const row = Array.from({ length: fields }, () => {
      // The fields of a row that is not ended yet.
      if (at >= bytes.length) return "";
      const length = bytes.readInt32BE(at);
      at += 4;
      if (length === -1) return null;
      at += length;
      return bytes.toString("hex", at - length, at);
    });
    rows.push(row);
  }
  return rows;
}

/** One field, as `write` writes it. */
export function copiedField(write: (out: CopyWriter) => void): string | null {
  return (
    copiedRows((out) => {
      out.row(1);
      write(out);
    })[0]?.[0] ?? null
  );
}
