import assert from "node:assert/strict";
import { test } from "node:test";
import { findStrangers } from "../../src/db/archive-strangers.js";

const strangers = (...entries: string[]) =>
  findStrangers(["; a comment", "", ...entries.map((entry, i) => `${i + 1}; 1259 ${i} ${entry} owner`)], {
    schema: "public",
    derived: ["event_swap"],
  }).map(({ what }) => what);

test("what schema.sql makes, its partitions, sequences and indexes, and tables of chain_tables, are known", () => {
  assert.deepEqual(
    strangers(
      "SCHEMA - public",
      "COMMENT public TABLE blocks",
      "ACL public TABLE blocks",
      "TABLE public blocks",
      "TABLE public blocks_500000",
      "TABLE ATTACH public blocks_500000",
      "TABLE public event_swap_500000",
      "TABLE DATA public event_swap",
      "TABLE public processing_history_20261129",
      "VIEW public blocks_hex",
      "SEQUENCE public processing_jobs_id_seq",
      "SEQUENCE SET public processing_jobs_id_seq",
      "CONSTRAINT public blocks blocks_pkey",
      "INDEX public whatever",
      "INDEX ATTACH public blocks_500000_pkey",
      "FUNCTION public processing_jobs_notify()",
      "FUNCTION public chain_partition(regclass, bigint)",
      "TRIGGER public processing_jobs processing_jobs_inserted",
    ),
    [],
  );
});

test("whatever else there is, is told", () => {
  assert.deepEqual(
    strangers(
      "TABLE public mine",
      "TABLE other blocks",
      "FUNCTION public processing_jobs_notify2()",
      "TRIGGER public processing_jobs mine",
      "TRIGGER public mine processing_jobs_inserted",
      "EVENT TRIGGER - always",
      "POLICY public blocks hides",
      "RULE public blocks instead",
      "MATERIALIZED VIEW public blocks",
      "FK CONSTRAINT public logs logs_fkey",
    ),
    [
      "the table public.mine",
      "the table other.blocks",
      "the function public.processing_jobs_notify2()",
      "the trigger public.processing_jobs mine",
      "the trigger public.mine processing_jobs_inserted",
      "EVENT TRIGGER - always owner",
      "POLICY public blocks hides owner",
      "RULE public blocks instead owner",
      "MATERIALIZED VIEW public blocks owner",
      "FK CONSTRAINT public logs logs_fkey owner",
    ],
  );
});
