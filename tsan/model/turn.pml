/* turn.pml -- a model of a program's lock in a turn: threads/user_lock.h.  spin -run turn.pml (see run.sh beside it).
 *
 * One thread takes and releases the lock, sometimes begins a turn while it holds it (who hands it over does that for it), and then takes and releases it by
 * plain stores, in a section.  Its plain stores go through a store buffer, as in favour.pml.  Two others take the lock when
 * it is free, and end the turn if there is one.  Nobody is inside the lock beside another; the thread is inside until the store or the
 * compare-and-swap that releases the lock is in memory.  Nobody waits for ever (no invalid end states).
 *
 * NO_BARRIER: without the barrier; NO_LOOK: the thread looks before its section begins instead of behind it; FAVOUR_FIRST: a turn begins
 * with `favour` instead of TURN: each must be found wrong.
 */
#define SECTION 0 /* addresses in the buffer */
#define INSIDE 1
#define FAVOUR 2

bool held = false;    /* the lock's state: HELD and TURN */
bool turn = false;
bool favour = false;  /* memory: it is the thread's turn */
bool inside = false;
bool section = false;
byte mine = 0;        /* the thread is inside, as far as memory knows */
byte theirs = 0;      /* others that are */

chan buffer = [4] of { byte, bool, bool }; /* where, what, whether that releases the lock */

bool view_inside = false; /* what the thread sees of `inside`: nobody else writes it */
bool view_turn;

#define SEES_FAVOUR (buffer??[FAVOUR, true, false] || favour)

proctype memory()
{
    byte where;
    bool what, ends;
end:
    do
    :: atomic {
        buffer?where, what, ends;
        if
        :: where == SECTION -> section = what
        :: where == INSIDE -> inside = what
        :: else -> favour = what
        fi;
        if
        :: ends -> mine--
        :: else
        fi
    }
    od
}

inline enter()
{
    mine++;
    assert(theirs == 0) /* its own last one may be on its way to memory */
}

/* end_turn() by the thread itself, which is inside. */
inline end_own_turn()
{
    do
    :: !turn -> break
    :: else ->
        if
        :: atomic { empty(buffer) && favour -> favour = false }
            atomic { empty(buffer) -> turn = false }
            break
        :: atomic { empty(buffer) && !favour -> skip }
            (favour || !turn)
        fi
    od
}

proctype thread()
{
end:
    do
    /* user_lock_turn_take() */
    :: turn && !view_inside ->
#ifdef NO_LOOK
        if
        :: SEES_FAVOUR ->
            buffer!SECTION, true, false;
            enter();
            buffer!INSIDE, true, false;
            view_inside = true
        :: !SEES_FAVOUR -> buffer!SECTION, true, false
        fi;
#else
        buffer!SECTION, true, false;
        if
        :: SEES_FAVOUR ->
            enter();
            buffer!INSIDE, true, false;
            view_inside = true
        :: !SEES_FAVOUR
        fi;
#endif
        buffer!SECTION, false, false;
        if
        :: view_inside -> goto release
        :: else
        fi
    /* user_lock_try(), and sometimes user_lock_begin_turn() */
    :: atomic {
        empty(buffer) && !held ->
        held = true;
        enter()
    }
        if
        :: true
        :: true ->
            buffer!INSIDE, true, false;
            view_inside = true;
#ifdef FAVOUR_FIRST
            buffer!FAVOUR, true, false;
            atomic { empty(buffer) -> turn = true }
#else
            atomic { empty(buffer) -> turn = true }
            buffer!FAVOUR, true, false
#endif
        fi;
release:
        view_turn = turn;
        if
        :: view_turn -> /* user_lock_turn_release() */
            buffer!SECTION, true, false;
            if
            :: SEES_FAVOUR ->
                view_inside = false;
                buffer!INSIDE, false, true;
                buffer!SECTION, false, false
            :: !SEES_FAVOUR ->
                buffer!SECTION, false, false;
                end_own_turn();
                goto release
            fi
        :: !view_turn && true ->
            view_inside = false;
            atomic {
                empty(buffer) && !turn ->
                held = false;
                mine--
            }
        :: true -> /* a turn of its own ends, because somebody waits */
            end_own_turn();
            view_inside = false;
            atomic {
                empty(buffer) ->
                held = false;
                mine--
            }
        fi
    od
}

/* membarrier() */
inline barrier()
{
#ifndef NO_BARRIER
    empty(buffer)
#else
    skip
#endif
}

proctype other()
{
    bool was;
end:
    do
    :: atomic {
        !held ->
        held = true;
        theirs++
    }
        assert(theirs == 1 && mine == 0);
        atomic {
            theirs--;
            held = false
        }
    :: turn -> /* end_turn() */
        do
        :: !turn -> break
        :: turn ->
            if
            :: atomic { favour -> favour = false }
                barrier();
                !section;
                was = inside;
                turn = false;
                if
                :: was
                :: !was -> /* it holds the lock now */
                    theirs++;
                    assert(theirs == 1 && mine == 0);
                    atomic {
                        theirs--;
                        held = false
                    }
                fi;
                break
            :: !favour ->
                (favour || !turn)
            fi
        od
    od
}

init {
    atomic {
        run memory();
        run thread();
        run other();
        run other()
    }
}
