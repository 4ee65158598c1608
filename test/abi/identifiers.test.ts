import assert from "node:assert/strict";
import { after, test } from "node:test";
import { cutName, freeName, quoteName, reservedWords, snakeCase } from "../../src/abi/identifiers.js";
import { emptyDatabase } from "../support/database.js";

const database = await emptyDatabase();
after(() => database.drop());

test("names become snake_case", () => {
  const names: Record<string, string> = {
    amount0In: "amount0_in",
    tokenId: "token_id",
    tokenID: "token_id",
    URIChanged: "uri_changed",
    _from: "from",
    __value_: "value_",
    sqrtPriceX96: "sqrt_price_x96",
    ERC20Transfer: "erc20_transfer",
    already_there: "already_there",
    a$b: "a_b",
    _0: "_0",
    _: "",
    $: "",
    "": "",
  };
  assert.deepEqual(Object.fromEntries(Object.keys(names).map((name) => [name, snakeCase(name)])), names);
});

test("a name of more than 63 bytes is cut to 54 and the digits of its hash, never within a character", () => {
  const fits = "a".repeat(63);
  assert.equal(cutName(fits), fits);
  const long = cutName("a".repeat(64));
  assert.match(long, /^a{54}_[0-9a-f]{8}$/);
  assert.notEqual(cutName("a".repeat(65)), long);
  const wide = cutName(`a${"é".repeat(40)}`);
  assert.match(wide, /^aé{26}_[0-9a-f]{8}$/);
  assert.equal(Buffer.byteLength(cutName("é".repeat(40))), 63);
});

test("a reserved word and a taken name get _, and as many as it takes", () => {
  assert.equal(freeName("from", new Set()), "from_");
  assert.equal(freeName("address", new Set(["address", "address_"])), "address__");
  assert.equal(freeName("value", new Set()), "value");
});

test("every word that PostgreSQL does not take as a column without quotes gets _", async () => {
  const { rows } = await database.pool.query<{ word: string }>(
    "select word from pg_get_keywords() order by 1",
  );
  const wants = [...rows.map(({ word }) => word), "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "oid"];
  const refused: string[] = [];
  for (const word of wants) {
    const statements = [
      `create temp table words (${word} int)`,
      `select ${word} from (select 1 as "${word}") t where ${word} = 1 order by ${word}`,
      `with t (${word}) as (select 1) select t.${word} from t`,
    ];
    const client = await database.pool.connect();
    await client.query("begin");
    try {
      for (const statement of statements) await client.query(statement);
    } catch {
      refused.push(word);
    } finally {
      await client.query("rollback");
      client.release();
    }
  }
  assert(refused.length > 50);
  assert.deepEqual(
    refused.filter((word) => !reservedWords.has(word)),
    [],
  );
});

test("SQL quotes a name only where it has to", () => {
  assert.deepEqual(["value", "from_", "from", "Value", 'a"b', "0a"].map(quoteName), [
    "value",
    "from_",
    '"from"',
    '"Value"',
    '"a""b"',
    '"0a"',
  ]);
});
