/*
 * The queue's rules, for Spin: every interleaving of an insert, claims, commits, deaths, freezes, lost
 * listening connections, releases and a reorg, of two blocks and two workers. test/model/interleavings.test.ts
 * checks that no interleaving breaks the promises, and that one does as soon as a rule is taken out:
 *
 *   NO_TOKEN       a commit does not check that its claim still holds
 *   TWO_COMMITS    the job is completed in one transaction, and its rows are written in another
 *   NO_DRAIN       whoever listens again does not look at once
 *   LATE_LOOK      a hint that comes while a worker looks is forgotten
 *   SPLIT_REORG    a reorg removes the rows in one transaction, and re-queues the jobs in another
 *   NO_RELEASE     nobody releases the claims of the dead
 */

#define BLOCKS 2
#define WORKERS 2
#define NOBODY 255

mtype = { absent, pending, processing, completed };

/* processing_jobs: status, worker_id (a worker's number and its life), claims, block_hash (a branch). */
mtype status[BLOCKS] = absent;
byte owner[BLOCKS] = NOBODY;
byte claims[BLOCKS];
byte wanted[BLOCKS] = 1;

/* blocks: the branch whose rows are stored; 0: none. And how often rows were written since they were asked for. */
byte stored[BLOCKS];
byte writes[BLOCKS];

/* The listening connections: whether they hear, and whether something was heard that was not looked into. */
bool listens[WORKERS] = true;
bool hint[WORKERS];

byte life[WORKERS];
byte faults = 2;

#define id(w, l) ((w) * 16 + (l))

/* The insert trigger: a notification reaches whoever listens at that moment. */
inline notify() {
  hint[0] = hint[0] || listens[0];
  hint[1] = hint[1] || listens[1]
}

/* What the tables promise at every moment, between any two transactions. */
inline promises() {
  assert((status[0] == completed) == (stored[0] != 0));
  assert((status[1] == completed) == (stored[1] != 0));
  assert(stored[0] == 0 || stored[0] == wanted[0]);
  assert(stored[1] == 0 || stored[1] == wanted[1]);
  assert(writes[0] <= 1 && writes[1] <= 1)
}

inline claim(b) {
  status[b] = processing;
  claims[b]++;
  owner[b] = me;
  held = b;
  token = claims[b];
  branch = wanted[b]
}

proctype Worker(byte w; byte l) {
  byte me = id(w, l);
  byte held, token, branch;
  bool found;

look:
#ifndef LATE_LOOK
  hint[w] = false;
#endif
  /* One statement: an update of a row that nobody else holds. */
  atomic {
    found = true;
    if
    :: status[0] == pending -> claim(0)
    :: status[1] == pending -> claim(1)
    :: else -> found = false
    fi
  }
  if
  :: !found ->
#ifdef LATE_LOOK
    hint[w] = false;
#endif
    hint[w];
    goto look
  :: found -> skip
  fi;

  /* The block is fetched here; what was wanted at the claim is what comes. */
  if
  :: atomic { faults > 0 -> faults--; goto died }
  :: skip
  fi;

  /* One transaction: the job is completed if its token holds, and the rows are written with it. */
#ifdef TWO_COMMITS
  if
  :: atomic { status[held] == processing && owner[held] == me && claims[held] == token -> status[held] = completed }
  :: else -> goto look
  fi;
  if
  :: atomic { faults > 0 -> faults--; goto died }
  :: skip
  fi;
  atomic { stored[held] = branch; writes[held]++; goto look }
#else
  atomic {
    if
#ifdef NO_TOKEN
    :: true ->
#else
    :: status[held] == processing && owner[held] == me && claims[held] == token ->
#endif
      status[held] = completed;
      stored[held] = branch;
      writes[held]++;
      promises()
    :: else -> skip
    fi;
    goto look
  }
#endif

died:
  atomic {
    life[w]++;
    listens[w] = true;
    /* Whoever begins to listen looks first. */
    hint[w] = true;
    run Worker(w, l + 1);
#ifndef NO_RELEASE
    run Release(me)
#endif
  }
}

/* The supervisor of a child that ended; or a sweep, when a host was silent: its worker may only be frozen. */
proctype Release(byte lost) {
  atomic {
    if
    :: status[0] == processing && owner[0] == lost -> status[0] = pending; notify()
    :: else -> skip
    fi;
    if
    :: status[1] == processing && owner[1] == lost -> status[1] = pending; notify()
    :: else -> skip
    fi
  }
}

proctype Insert() {
  atomic { status[0] = pending; notify() }
  atomic { status[1] = pending; notify() }
}

/* The chain leaves the branch of block 1. */
proctype Reorg() {
#ifdef SPLIT_REORG
  atomic { stored[1] = 0; writes[1] = 0 }
  atomic {
    wanted[1] = 2;
    if
    :: status[1] != absent -> status[1] = pending; notify()
    :: else -> skip
    fi;
    promises()
  }
#else
  atomic {
    wanted[1] = 2;
    stored[1] = 0;
    writes[1] = 0;
    if
    :: status[1] != absent -> status[1] = pending; notify()
    :: else -> skip
    fi;
    promises()
  }
#endif
}

/* A sweep that takes the claims of a worker which is only frozen. */
proctype Freeze() {
  if
  :: atomic { faults > 0 -> faults--; run Release(id(0, life[0])) }
  :: atomic { faults > 0 -> faults--; run Release(id(1, life[1])) }
  :: skip
  fi
}

/* A listening connection breaks, and another one is made. */
proctype LoseListener(byte w) {
  if
  :: atomic { faults > 0 -> faults--; listens[w] = false }
    atomic {
      listens[w] = true;
#ifndef NO_DRAIN
      hint[w] = true
#endif
    }
  :: skip
  fi
}

/* When nobody can do anything any more, every block is stored, of the branch that is wanted. */
proctype Rest() {
  timeout;
  assert(status[0] == completed && stored[0] == wanted[0]);
  assert(status[1] == completed && stored[1] == wanted[1])
}

init {
  atomic {
    run Worker(0, 0);
    run Worker(1, 0);
    run Insert();
    run Reorg();
    run Freeze();
    run LoseListener(0);
    run LoseListener(1);
    run Rest()
  }
}
