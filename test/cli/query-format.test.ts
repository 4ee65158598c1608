import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Cell, formatRows, type QueryColumn, queryFrame } from "../../src/cli/query-format.js";
import { emptyDatabase } from "../support/database.js";

const database = await emptyDatabase();
after(() => database.drop());

async function answer(sql: string): Promise<{ columns: QueryColumn[]; rows: Cell[][] }> {
  const { rows, fields } = await database.pool.query<Cell[]>({
    text: sql,
    rowMode: "array",
    types: { getTypeParser: () => (value: string) => value },
  } as never);
  return { columns: fields.map(({ name, dataTypeID }) => ({ name, type: dataTypeID })), rows };
}

const paint = (_style: string, text: string) => text;

const everyType = `select 7 as int, 9007199254740993::bigint as big, 2::numeric(78,0) ^ 200 as numeric, true as bool,
  '\\x00ff'::bytea as bytea, 'a "b", c' || chr(10) as text, null::text as nothing, '' as empty,
  array['\\x01'::bytea, null] as bytes, array[1.5, 10::numeric ^ 30] as numbers, array['a,"b', 'NULL', '', 'c\\d'] as texts,
  array[true, false] as bools, array[]::text[] as none, '{"a": ["1"]}'::jsonb as json, '[0:1]={1,2}'::int[] as bounds`;

test("JSON has numbers that every reader takes, and the others as text; arrays, bytes and jsonb as they are", async () => {
  const { columns, rows } = await answer(everyType);
  const [before, behind] = queryFrame.json;
  const parts = [
    formatRows("json", { columns, rows, later: false, paint }),
    formatRows("json", { columns, rows, later: true, paint }),
  ];
  const parsed = JSON.parse(before + parts.join("") + behind);
  assert.equal(parsed.length, 2);
  assert.deepEqual(parsed[1], {
    ...{
      int: 7,
      big: "9007199254740993",
      bool: true,
      bytea: "0x00ff",
      text: 'a "b", c\n',
      nothing: null,
      empty: "",
    },
    numeric: rows[0]?.[2],
    ...{
      bytes: ["0x01", null],
      numbers: ["1.5", rows[0]?.[9]?.replace(/.*,|}/g, "")],
      texts: ['a,"b', "NULL", "", "c\\d"],
    },
    ...{ bools: [true, false], none: [], json: { a: ["1"] }, bounds: [1, 2] },
  });
  assert.deepEqual(
    JSON.parse(before + formatRows("json", { columns, rows: [], later: false, paint }) + behind),
    [],
  );
});

test("CSV quotes what has to be, tells null from an empty text, and heads the first part only", async () => {
  const answered = await answer(everyType);
  const columns = answered.columns.slice(0, 9);
  const rows = answered.rows.map((row) => row.slice(0, 9));
  const csv = formatRows("csv", {
    columns,
    rows: [["1", "2", "3", "f", "\\x0a", 'a "b"\n', null, "", null]],
    later: false,
    paint,
  });
  assert.equal(
    csv,
    'int,big,numeric,bool,bytea,text,nothing,empty,bytes\r\n1,2,3,false,0x0a,"a ""b""\n",,"",\r\n',
  );
  assert.match(formatRows("csv", { columns, rows, later: true, paint }), /^7,9007199254740993,/);
});

test("a table aligns numbers at the right, and no terminal obeys what a contract wrote", () => {
  const columns = [
    { name: "n", type: 1700 },
    { name: "text", type: 25 },
  ];
  const rows = [
    ["1", "a"],
    ["100", "\u001b[31mred\u009b\u007f\n"],
  ];
  const table = formatRows("table", { columns, rows, later: false, paint });
  assert.match(table, / {4}1 {2}a\n/);
  assert(
    ![...table.replaceAll("\n", "")].some((character) => /\p{Cc}/u.test(character)),
    JSON.stringify(table),
  );
  assert.match(table, /\\u001b\[31mred/);
});
