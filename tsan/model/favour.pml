/* favour.pml -- a model of the exclusion between the thread that a shared object favours and those that
 * come to its lock: threads/bias.h, gc/object_lock.c.  spin -run favour.pml (see run.sh beside it).
 *
 * A thread may be favoured.  Its plain stores go through a store buffer, which another process empties at any
 * time, in order; its compare-and-swaps wait until it is empty.  membarrier() of a newcomer goes on at some
 * moment at which the buffer is empty.  Two newcomers take the lock, and one of them switches the favours of
 * the thread off, and it switches them on again.  Nobody changes the object beside another: a change of the
 * thread, in a section or under the lock, lasts until the store that ends it has left the buffer.  NO_BARRIER: without the barrier, and
 * NO_LOOK: with a look before the section begins instead of behind it, the claim must be found wrong.
 */
#define FREE 0
#define HELD 1
#define TAG 4

#define SECTION 0  /* addresses in the buffer; a store to SECTION of 2 ends a change, too */
#define LOCK 1     /* so does every store to LOCK but the one of TAG */

byte lock = FREE;    /* memory */
bool section = false;
bool favoured = true; /* th->favour, as memory has it; written by the newcomer and, switching on, by the thread */
byte mine = 0;       /* changes of the thread that are not in memory yet */
byte theirs = 0;     /* newcomers that change the object */
bool off = false;    /* bias_state is BIAS_OFF */

chan buffer = [4] of { byte, byte };

/* What the thread sees of the lock: its own store if that is still in the buffer. */
#define SEES_TAG (buffer??[LOCK, TAG] || (!buffer??[LOCK, FREE] && lock == TAG))

proctype memory()
{
    byte where, what;
end:
    do
    :: atomic {
        buffer?where, what;
        if
        :: where == LOCK ->
            lock = what;
            if
            :: what == FREE -> mine--
            :: else
            fi
        :: else ->
            section = (what == 1);
            if
            :: what == 2 -> mine--
            :: else
            fi
        fi
    }
    od
}

proctype thread()
{
end:
    do
    /* object_section_begin() */
#ifdef NO_LOOK
    :: favoured && SEES_TAG ->
        buffer!SECTION, 1;
        if
        :: true ->
#else
    :: true ->
        buffer!SECTION, 1;
        if
        :: favoured && SEES_TAG ->
#endif
            mine++;
            assert(theirs == 0);
            buffer!SECTION, 2
        :: !(favoured && SEES_TAG) ->
            buffer!SECTION, 0
        fi
    :: true ->                         /* object_lock_slow(), lock_excluding() */
        if
        :: atomic {
            empty(buffer) && (lock == FREE || lock == TAG) ->
            lock = HELD                /* a tag is its own: nobody is to be excluded */
        }
        fi;
        mine++;
        assert(theirs == 0);
        if
        :: true -> buffer!LOCK, FREE
        :: favoured ->                 /* favour() */
            buffer!SECTION, 1;
            if
            :: favoured ->
                buffer!LOCK, TAG;
                buffer!SECTION, 2
            :: !favoured ->
                buffer!SECTION, 0;
                buffer!LOCK, FREE
            fi
        fi
    :: atomic {                        /* bias_renew_slow(): the exchange empties the buffer */
        empty(buffer) && off ->
        favoured = true;
        off = false
    }
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

proctype newcomer(bool switches)
{
    bool tagged;
end:
    do
    :: atomic {
        lock == FREE || lock == TAG ->
        tagged = (lock == TAG);
        lock = HELD
    }
        if
        :: tagged && !off ->           /* bias_exclude_favoured() */
            barrier();
            !section
        :: else
        fi;
        theirs++;
        assert(theirs == 1 && mine == 0);
        atomic {
            theirs--;
            lock = FREE
        }
    :: switches && !off && favoured -> /* switch_off() */
        favoured = false;
        barrier();
        !section;
        off = true
    od
}

init {
    atomic {
        run memory();
        run thread();
        run newcomer(true);
        run newcomer(false)
    }
}
