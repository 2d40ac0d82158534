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

## Configuration

config-missing = There is no such file.
config-unreadable = It cannot be read: { $why }
config-too-long = It is longer than { BYTES($limit) }. Long target lists belong into a file for frc ping --file.
config-not-utf8 = The file is not UTF-8 from here on; save it as UTF-8.
# $why is the TOML parser's own explanation.
config-syntax = Not TOML: { $why }
config-unknown-key = Unknown key `{ $key }`. Known here: { $known }.
config-unknown-key-near = Unknown key `{ $key }`: did you mean `{ $near }`?
config-key-missing = The key `{ $key }` is missing here.
config-type = Expected { $expected }, found { $found }.
config-type-string = text in quotes
config-type-integer = a whole number
config-type-number = a number
config-type-boolean = true or false
config-type-date = a date
config-type-array = a list
config-type-table = a section
config-type-tables = sections in double brackets, as in [[target]]
config-range = Out of range: choose between { $least } and { $most }.
config-empty = The text is empty.
config-text-too-long = The text is longer than { COUNT($limit) } characters.
config-characters = The text holds a control or invisible character.
config-choice = Unknown word `{ $word }`. Known here: { $known }.
config-choice-near = Unknown word `{ $word }`: did you mean `{ $near }`? Known here: { $known }.
config-target = Not a target: { $why }.
config-twice = `{ $what }` stands here for the second time.
config-too-many = More than { COUNT($limit) } entries.
config-contact = A contact's name has 1 to 40 visible characters, as in network or "on-call database".
config-order = `{ $low }` lies above `{ $high }`; the milder one must be reached first.
## Kernel feeds: why one cannot work here

network-unavailable = Links, routes and neighbours cannot be read: no rtnetlink socket ({ $error }). A sandbox (seccomp, gVisor) usually withholds it; allow AF_NETLINK.
sockets-unavailable = Sockets cannot be listed: the kernel does not offer sock_diag ({ $error }). Load it with: modprobe -a inet_diag tcp_diag udp_diag
