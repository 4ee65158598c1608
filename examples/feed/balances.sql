-- What each address holds of each ERC-20 token, kept right through reorgs by psql alone. Run it again and again:
--
--   psql "$URL" -v ON_ERROR_STOP=1 -f examples/feed/balances.sql
--
-- Each run takes at most 100 steps, in one transaction with its position: killed at any moment, it has done all of them
-- or none. Made for the feed from its first step on: SELECT * FROM start_reader('balances', 0), once.

create table if not exists balances (
  token    bytea   not null,
  holder   bytea   not null,
  balance  numeric not null,
  primary key (token, holder)
);

begin isolation level repeatable read;

create temp table steps on commit drop as select * from read_changes('balances', 100);

with moved as (
  select 1 as sign, token_address, from_address, to_address, value
  from steps join token_transfers on block_number = number
  where kind = 'apply' and standard = 'erc20'
  union all
  select -1, token_address, from_address, to_address, value
  from steps join dropped_token_transfers on change_id = id
  where kind = 'revert' and standard = 'erc20'
),
changes as (
  select token_address as token, from_address as holder, -sign * value as amount from moved
  union all
  select token_address, to_address, sign * value from moved
)
insert into balances as old (token, holder, balance)
select token, holder, sum(amount) from changes group by 1, 2
on conflict (token, holder) do update set balance = old.balance + excluded.balance;

delete from balances where balance = 0;

select advance_reader('balances', max(id)) from steps having count(*) > 0;

commit;
