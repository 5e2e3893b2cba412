#!/bin/bash
# unawaited.sh WEFT -- a coroutine that is left over at the end is told of when no module can be imported any more.
weft=$1
said=$("$weft" -c 'async def c(): pass
x = c()
y = [x]
y.append(y)' 2>&1)
[ "$said" = "sys:1: RuntimeWarning: coroutine 'c' was never awaited" ] || { echo "said: $said"; exit 1; }
