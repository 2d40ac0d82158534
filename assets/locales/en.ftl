### The words of the console in English (Fluent syntax, projectfluent.org).
###
### One section a module, in the order of the house. An id begins with its module's
### or its subject's name. Figures are arguments; how they are written is decided
### here: PERCENT, MS, DURATION, AGE, COUNT, BITRATE, BYTES, TIME and DATE are
### explained in src/text/mod.rs. One sentence is one message: nothing is glued
### together from words.

## Text

lang-not-available = The language { $lang } is not available yet; speaking English.
# Used by the tests of rendering only.
text-selftest = { PERCENT($ratio) } { MS($ms) } { COUNT($count) } { $port } { TIME($at) } { $inner }

## The contract's words, as people read them

status-healthy = healthy
status-degraded = degraded
status-fault = fault
status-unmeasured = not measured
severity-info = info
severity-warning = warning
severity-critical = critical
confidence-possible = possible
confidence-likely = likely
confidence-strong = strong
side-host = this host
side-path = the path
side-service = the far service
layer-link = link
layer-neighbour = neighbour
layer-network = network
layer-transport = transport
layer-name = name
layer-tls = TLS
layer-application = application
layer-time = time
layer-host = host
layer-cloud = cloud
