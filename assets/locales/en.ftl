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

## Diagnosis: the verdict

verdict-measuring = Measuring, nothing can be said yet
verdict-healthy = { $targets ->
    [0] Nothing found wrong on this host
    [one] The target works, and everything it depends on
    [2] Both targets work, and everything they depend on
   *[other] All { $targets } targets work, and everything they depend on
}
verdict-unmeasured = { $targets ->
    [one] One target could not be judged; nothing worse is known
   *[other] { $targets } targets could not be judged; nothing worse is known
}
verdict-unlisted = Whether the expected services listen is not known; nothing worse is known

## Diagnosis: findings, one sentence each, and what to do next

finding-link-down = Interface { $subject } is administratively down
next-link-down-1 = Find out who set { $subject } down and why: journalctl -b | grep { $subject }
next-link-down-2 = Bring it up: ip link set { $subject } up (its routes come back by themselves only where a network service manages it)
finding-link-no-carrier = Interface { $subject } has no carrier: nothing is connected, or the other end is off
next-link-no-carrier-1 = Check cable, transceiver and switch port of { $subject }; on a virtual machine, whether its NIC is attached
next-link-no-carrier-2 = Compare both ends: ethtool { $subject } (speed, autonegotiation, link detected)
finding-addr-missing = Interface { $subject } is up but has no usable address
next-addr-missing-1 = Look at what should give it one: networkctl status { $subject }, or nmcli device show { $subject }
next-addr-missing-2 = With DHCP, ask again (networkctl renew { $subject }) and watch for an answer: tcpdump -ni { $subject } port 67 or port 68
finding-route-default-missing = There is no { $subject } route: nothing beyond the local network can be reached over { $family }
next-route-default-missing-1 = Look at the routes that are there: ip -{ $family ->
    [IPv4] 4
   *[other] 6
} route
next-route-default-missing-2 = Find out what should set it (DHCP, router advertisements, a configuration file) before adding one by hand
finding-route-unreachable = A route on this host refuses { $subject } ({ $route })
next-route-unreachable-1 = Look at it: ip route show type { $route }; ip -6 route show type { $route }; ip rule
next-route-unreachable-2 = Find out who set it (a VPN, a container network, a block list) before deleting it
finding-neigh-gateway-unresolved = The gateway { $subject } does not answer for its link-layer address on { $interface }
next-neigh-gateway-unresolved-1 = Ask it yourself: arping -I { $interface } { $subject } (IPv6: ndisc6 { $subject } { $interface })
next-neigh-gateway-unresolved-2 = Check that the gateway is up, and that { $interface } is in the right VLAN or subnet
finding-gateway-not-forwarding = The gateway { $subject } is there but forwards nothing: nothing beyond it answers
next-gateway-not-forwarding-1 = Ask the owner of { $subject }: is its uplink well, and does it route and translate for this host?
next-gateway-not-forwarding-2 = Compare from another host behind the same gateway
finding-path-blackhole = { $hop ->
    [none] Packets to { $target } vanish without a word, and no router on the way answers
   *[other] Packets to { $target } die after { $from }, hop { $hop }: nothing behind it answers
}
next-path-blackhole-1 = { $hop ->
    [none] Compare with another way there (another host, another protocol) to find out where packets still get through
   *[other] Call the owner of { $from }: it is the last router to answer on the way to { $target }
}
next-path-blackhole-2 = Save the path as evidence: frc trace --rounds 20 --json { $target }
finding-path-unreachable = The router { $subject } says that { $target } cannot be reached
next-path-unreachable-1 = Call the owner of { $subject }: it has no route onward
next-path-unreachable-2 = Save the path as evidence: frc trace --rounds 20 --json { $target }
finding-path-admin-prohibited = { $subject } forbids packets to { $target } (administratively prohibited)
next-path-admin-prohibited-1 = Ask the owner of { $subject } which rule forbids it, giving source, destination and port
next-path-admin-prohibited-2 = If { $subject } is this host or the target itself, read its rules: nft list ruleset
finding-path-loop = Packets to { $target } go round in a circle from { $from } on
next-path-loop-1 = Call the owner of { $from }: two routers each think that the other is nearer to { $target }
next-path-loop-2 = Save the path as evidence: frc trace --rounds 20 --json { $target }
finding-path-loss = { $hop ->
    [none] { PERCENT($loss) } of packets to { $target } are lost on the way
   *[other] { PERCENT($loss) } of packets to { $target } are lost, from { $subject } on
}
next-path-loss-1 = { $hop ->
    [none] Watch it from another host to find out whether the loss is near you or near { $target }
   *[other] Call the owner of { $subject }: the loss begins there and every later hop shares it
}
next-path-loss-2 = Save the figures as evidence: frc ping --count 600 --interval 100ms --json { $target }
finding-path-hop-ratelimit = { $subject } rations its own answers; what lies behind it loses nothing
next-path-hop-ratelimit-1 = Nothing to do: its silence says nothing about packets that it forwards
finding-path-changed = The path to { $subject } changed
next-path-changed-1 = Remember it when looking for what changed; both paths are shown in the path pane
finding-path-icmp-filtered = { $subject } does not answer echo, but its services answer: ICMP is filtered
next-path-icmp-filtered-1 = Nothing to do now; blocking all ICMP also breaks path MTU discovery, so tell its owner
finding-host-unreachable = { $place ->
    [link] { $subject } is not there: it is on this host's own link and does not answer for its link-layer address
   *[beyond] { $subject } is not there: the last router, { $from }, tried to find it and gave up
}
next-host-unreachable-1 = Check whether { $subject } runs at all: its console, its provider's status page, its neighbours on the same network
next-host-unreachable-2 = If it was moved, look for a stale address in DNS or configuration
finding-port-refused = { $subject } ({ $target }) refuses connections: the host is up, nothing listens on that port
next-port-refused-1 = On that host: ss -ltnp, and the state and last log lines of the service: journalctl -u UNIT -n 200
next-port-refused-2 = Check the port number, and whether the service listens on this address or only on loopback
finding-port-rejected = { $from } rejects connections to { $subject } ({ $target }): a firewall rule for this port
next-port-rejected-1 = Ask the owner of { $from } which rule rejects it, giving source, destination and port
next-port-rejected-2 = Read the rules on that host, first match first: nft list ruleset
finding-port-filtered = { $subject } ({ $target }) swallows connection attempts though its host answers: a filter drops them
next-port-filtered-1 = Check security groups, network ACLs and the host's own firewall for this source, destination and port
next-port-filtered-2 = On that host, see whether the SYN arrives: tcpdump -c 20 -ni any tcp port { $port }
finding-firewall-local-drop = This host's own firewall does not let packets to { $target } out
next-firewall-local-drop-1 = Read its rules in order, with counters: nft list ruleset, or iptables -vnL OUTPUT --line-numbers
next-firewall-local-drop-2 = Allow the one destination and port that is needed, before the rule that refuses it, with a timed rollback
finding-udp-no-reply = { $subject } ({ $target }) does not answer, though its host does
next-udp-no-reply-1 = On that host: ss -lunp 'sport = :{ $port }', and the service's log: journalctl -u UNIT -n 200
next-udp-no-reply-2 = See whether the request arrives and an answer leaves: tcpdump -c 20 -ni any udp port { $port }
finding-time-server-unreachable = The time server { $subject } ({ $target }) does not answer, though its host does
next-time-server-unreachable-1 = On that host: is chronyd or ntpd running, and does it allow this client? chronyc clients
next-time-server-unreachable-2 = See whether the request arrives and an answer leaves: tcpdump -c 20 -ni any udp port { $port }
finding-time-offset = This host's clock is { $seconds } s away from { $server }
next-time-offset-1 = Find out why before setting it: timedatectl, chronyc sources, and the virtual machine's own clock source
next-time-offset-2 = Let it slew; step the clock of a database host only with its owner's consent
finding-time-unsynchronised = The time server { $subject } ({ $target }) says itself that it is not synchronised
next-time-unsynchronised-1 = On that host: chronyc sources -v, or ntpq -p: which source does it lack?
next-time-unsynchronised-2 = Until then use another server, and do not step clocks by this one
finding-dns-no-nameserver = No name server is configured on this host
next-dns-no-nameserver-1 = Look at /etc/resolv.conf and what should write it: resolvectl status, or nmcli device show
next-dns-no-nameserver-2 = In a cloud, use the provider's internal resolver; it also knows private zones
finding-dns-server-unreachable = Name server { $server } cannot be reached
next-dns-server-unreachable-1 = Check whether { $server } is up and still the right one for this network
next-dns-server-unreachable-2 = If another server answers, move it first in the configuration; every lookup waits for the dead one
finding-dns-timeout = Name server { $server } is up, but does not answer DNS queries
next-dns-timeout-1 = Ask it over both transports: dig @{ $server } example.org; dig +tcp @{ $server } example.org
next-dns-timeout-2 = On that server: is the process alive, does it listen on this address, does a firewall drop port 53?
finding-dns-refused = Name server { $server } refuses to answer for { $name }
next-dns-refused-1 = It does not serve this host: check its access list, and whether it is the right server for this network
next-dns-refused-2 = Compare the other servers: dig @{ $server } { $name }
finding-dns-servfail = Name server { $server } fails to look up { $name } (SERVFAIL)
next-dns-servfail-1 = Ask for the reason: dig @{ $server } { $name } +dnssec, then again with +cd; if +cd works, DNSSEC is broken
next-dns-servfail-2 = See whether the zone's own servers answer: dig NS and dig +trace { $name }
finding-dns-nxdomain = The name { $subject } does not exist: every name server that answers says so
next-dns-nxdomain-1 = Check the spelling, and whether the record was deleted or the domain has expired
next-dns-nxdomain-2 = If it was created just now, the negative answer is cached for the zone's SOA minimum
finding-dns-no-data = The name { $subject } exists, but has no address of either family
next-dns-no-data-1 = Look at what it has: dig { $subject } A, AAAA and CNAME, or the zone file
next-dns-no-data-2 = Check whether the A or AAAA record was deleted
finding-dns-slow = Name server { $server } takes { MS($ms) } for an answer
next-dns-slow-1 = Check its load and its own upstreams; every connection by name waits for it
finding-tls-expired = The certificate of { $subject } ({ $target }) has expired
next-tls-expired-1 = Check this host's clock first, then renew: certbot renew, or whatever manages it
next-tls-expired-2 = After renewing, reload the service: many keep the old certificate in memory
finding-tls-not-yet-valid = The certificate of { $subject } ({ $target }) is not valid yet
next-tls-not-yet-valid-1 = Check this host's clock: timedatectl
next-tls-not-yet-valid-2 = Check the clock of the host that issued it
finding-tls-name-mismatch = The certificate of { $subject } is not for { $target }
next-tls-name-mismatch-1 = Check that the name leads to the right server, and that the right virtual host answers
next-tls-name-mismatch-2 = Issue a certificate that holds this name
finding-tls-untrusted = The certificate of { $subject } ({ $target }) comes from an authority that this host does not trust
next-tls-untrusted-1 = With a private authority: is its root installed here (update-ca-certificates on Debian, update-ca-trust on RHEL), or in SSL_CERT_FILE?
next-tls-untrusted-2 = Else something in between may answer in its place: compare the issuer from another network
finding-tls-revoked = The certificate of { $subject } ({ $target }) was revoked
next-tls-revoked-1 = Find out from its authority why it was revoked; treat the key as known to others until that is clear
next-tls-revoked-2 = Issue a certificate with a new key, and reload the service
finding-tls-incomplete-chain = { $subject } ({ $target }) does not send the intermediate certificate
next-tls-incomplete-chain-1 = Configure the full chain on the server (fullchain.pem instead of cert.pem)
next-tls-incomplete-chain-2 = Browsers may hide this by fetching it; programs do not
finding-tls-expiring = The certificate of { $subject } ({ $target }) expires in { $days ->
    [0] less than a day
    [one] one day
   *[other] { $days } days
}
next-tls-expiring-1 = Renew it now, and find out why the renewal did not run
next-tls-expiring-2 = After renewing, reload the service
finding-tls-handshake-failed = { $subject } ({ $target }) does not complete a TLS handshake
next-tls-handshake-failed-1 = Check that this port speaks TLS at all: openssl s_client -connect { $subject }
next-tls-handshake-failed-2 = Compare versions and ciphers that both sides allow
finding-service-silent = { $subject } ({ $target }) accepts connections, then says nothing
next-service-silent-1 = On that host: is the process stuck or out of workers? Save ss -tanp and a thread dump before any restart
next-service-silent-2 = Check what it waits for itself: its database, disk, upstream
finding-service-reset = { $subject } ({ $target }) accepts connections, then drops them
next-service-reset-1 = Read the service's log at that second: journalctl -u UNIT -n 200
next-service-reset-2 = Check the balancer or proxy in front of it: does it have a healthy upstream?
finding-http-5xx = { $target } answers with an error of its own: HTTP { $status }
next-http-5xx-1 = Read the service's log at that second; 502, 503 and 504 point at what stands behind it
next-http-5xx-2 = Ask what was deployed or changed last, before restarting anything
finding-http-4xx = { $target } refuses the request: HTTP { $status }
next-http-4xx-1 = Check path, host name and credentials of what is requested
next-http-4xx-2 = If it worked before, ask what was deployed or changed last
finding-http-slow = { $target } takes { MS($ms) } to its first byte
next-http-slow-1 = Network phases are shown beside it: if they are short, the service itself is slow
finding-port-not-listening = { $named ->
    [0] Nothing listens on { $transport } port { $port } of this host, though a service is expected there
   *[1] { $service } does not listen on this host: nothing has { $transport } port { $port }
}
next-port-not-listening-1 = Look at the service: systemctl status UNIT, journalctl -u UNIT -n 200
next-port-not-listening-2 = Save what it says before starting it again
finding-port-loopback-only = { $named ->
    [0] What listens on { $transport } port { $port } does so on { $subject } only: nobody but this host can reach it
   *[1] { $service } listens on { $subject } only: nobody but this host can reach it
}
next-port-loopback-only-1 = Look for its listen or bind address in its configuration, and for what changed it: 0.0.0.0 or :: is every address
next-port-loopback-only-2 = If only this host is to use it, say so in frc.toml: loopback_ok = true

## Diagnosis: what was seen, and what was expected

seen-offset = { $seconds } s from the server's clock
want-offset = at most { $seconds } s
seen-link-down = administratively down
want-link-up = up
seen-no-carrier = up, no carrier
want-carrier = carrier
seen-no-address = no address, or a link-local one only
want-address = an address
seen-no-default = no default route for { $family }
want-default = a default route
seen-route-refuses = { $route } { $prefix }
want-route = a way out
seen-neighbour-unresolved = no link-layer address on { $interface }
seen-no-arp = { $target } does not answer for its link-layer address
want-neighbour = a link-layer address
seen-icmp = { $from } says { $error }
icmp-net-unreachable = network unreachable
icmp-host-unreachable = host unreachable
icmp-protocol-unreachable = protocol unreachable
icmp-port-unreachable = port unreachable
icmp-admin-prohibited = administratively prohibited
icmp-too-big = packet too big, MTU { $mtu }
icmp-time-exceeded = time exceeded
icmp-redirect = redirect
icmp-other = ICMP type { $type } code { $code }
seen-icmp-late = { $from } says { $error }, after { DURATION($seconds) }
seen-loop = { $from } answers again and again as the TTL grows
want-path = routers up to the target
seen-last-hop = last answer from { $from }, hop { $hop }
seen-lost = { COUNT($lost) } of { COUNT($sent) } unanswered
want-answer = an answer
seen-loss = { COUNT($lost) } of { COUNT($sent) } lost, { PERCENT($loss) }
want-loss = at most { PERCENT($loss) }
want-later-hops-well = later hops and the target answer
seen-path-changed = hop { $hop } is { $after } now
want-path-before = { $before } before
seen-refused = refused
seen-eperm = the kernel refused to send it (EPERM)
want-passed = sent
seen-unanswered = { $lost } requests in a row unanswered
seen-unsynchronised = stratum { $stratum }, not synchronised
want-synchronised = a synchronised server
seen-revoked = revoked
seen-syn-lost = { $lost } connection attempts vanished
want-open = accepted
seen-no-listener = no socket
seen-loopback-listener = bound to { $address }
want-listener = a socket on port { $port }
want-reachable-listener = a socket that others can reach
seen-no-nameserver = no name server
want-nameserver = at least one
seen-rtt = { MS($ms) } at the median
want-dns-quick = 500 ms or less
seen-servfail = SERVFAIL for { $name }
seen-dns-refused = REFUSED for { $name }
seen-dns-silent = { $lost } queries in a row unanswered
want-dns-answer = an answer
seen-nxdomain = NXDOMAIN from { $servers ->
    [one] the only server that answers
   *[other] { $servers } servers
}
seen-no-data = no A and no AAAA record
want-address-record = an address
seen-expired = expired on { $date }
seen-not-yet-valid = valid from { $date } on
seen-names = valid for { $names }
seen-chain = issuer { $issuer } not sent
seen-issuer = issued by { $issuer }
seen-invalid = { $why }
want-certificate = a valid certificate
seen-days-left = { $days } days left
want-days-left = more than { $days }
seen-status = HTTP { $status }
want-status = a status below 400
seen-first-byte = first byte after { MS($ms) }
want-first-byte = { MS($ms) } or less
seen-silent = accepted, then silence
seen-reset = connection reset
seen-closed = connection closed without an answer
seen-alert = TLS alert { $code }
seen-protocol = { $why }
## Screen: panes

pane-connectivity = Connectivity
pane-path = Path
pane-nic = NIC
pane-services = Services
pane-runbook = Runbook
pane-timeline = Timeline
pane-host = Host
tab-connectivity = conn
tab-path = path
tab-nic = nic
tab-services = svc
tab-runbook = runbook
tab-timeline = time
tab-host = host

## Screen: heads of columns, with their units

head-target = target
head-probe = probe
head-loss = loss
head-p50 = p50 ms
head-p90 = p90 ms
head-p99 = p99 ms
head-jitter = jit ms
head-last-minute = last minute
head-last-minutes = last 2 minutes
head-hop = #
head-router = router
head-min = min ms
head-max = max ms
head-mtu = mtu
head-history = history
head-port = port
head-process = process
head-established = estab
head-queue = queue/max
head-address = address
head-state = state
head-local = local
head-remote = remote
head-sendq = send B
head-recvq = recv B
head-rtt = rtt ms
head-retransmits = retrans
head-time = time
head-who = who
head-what = what

## Screen: header, banner, footer

header-running = watching for { $age }
banner-waiting = Nothing measured yet
banner-since = since { $time }
banner-explains = explains { $count ->
        [one] one more finding
       *[other] { $count } more findings
    }
banner-others = { $count ->
        [one] one more fault beside it
       *[other] { $count } more faults beside it
    }
banner-unmeasured = { $count ->
        [one] one target not measured
       *[other] { $count } targets not measured
    }
banner-step = now: step { $step } of { $steps }, { $text }
banner-next = next: { $text }
progress-discovering = finding out what there is to watch
progress-first-round = first round: { $measured } of { $probes } probes have answered or timed out
progress-watching = watching { $targets ->
        [one] one target
       *[other] { $targets } targets
    } with { $probes ->
        [one] one probe
       *[other] { $probes } probes
    }
step-of = { $phase }, step { $step } of { $steps }
step-nothing = Nothing to do now
footer-help = help
footer-palette = commands
footer-pane = pane
footer-zoom = zoom
footer-details = details
footer-filter = filter
footer-add = add target
footer-trace = trace
footer-next-path = other path
footer-tick = tick
footer-note = note
footer-copy = copy
footer-freeze = freeze
footer-quit = quit
footer-frozen = frozen at { $time }
footer-icmp-raw = icmp raw
footer-icmp-dgram = icmp datagram
footer-icmp-none = no icmp
footer-right = { $rights } · { COUNT($dropped) } dropped

## Screen: what can be done

action-help = Help: the keys that work here
action-palette = Commands: find one by its name
action-pane-connectivity = Go to connectivity
action-pane-path = Go to the path
action-pane-nic = Go to the network interface
action-pane-services = Go to services
action-pane-runbook = Go to the runbook
action-pane-timeline = Go to the timeline
action-pane-host = Go to the host
action-next-pane = Go to the next pane
action-previous-pane = Go to the previous pane
action-zoom = Zoom: give the pane the whole screen
action-details = Details of what is selected
action-back = Back one step: details, zoom, filter, frozen picture
action-down = Select the next row
action-up = Select the previous row
action-page-down = One page down
action-page-up = One page up
action-first = Select the first row
action-last = Select the last row
action-filter = Filter rows by some text
action-add-target = Add a target to watch
action-trace = Trace the path to the selected target
action-next-path = Show the next traced path
action-previous-path = Show the traced path before
action-remove-target = Remove the selected target
action-tick = Tick the selected step, or take the tick back
action-note = Note something down
action-copy = Copy what is selected
action-freeze = Freeze the picture; probes go on
action-colours = Change between dark and light colours
action-redraw = Redraw the whole screen
action-suspend = Suspend; go on with fg
action-quit = Quit
help-title = Keys that work here
help-panes = Panes
help-lists = Rows
help-work = Work
help-console = Console
palette-title = Commands

## Screen: fields, questions, notices

filter-prompt = Filter:
filter-subject = filter "{ $filter }"
filter-empty = No row holds that text. Esc takes the filter away.
target-prompt = Watch (host, host:port or URL):
target-error = Cannot watch that: { $why }
note-title = Note
note-keys = Enter keeps it, Alt-Enter new line, Esc drops it
confirm-keys = y does it, any other key does not
confirm-remove = Stop watching { $name }? Its measurements so far stay on record.
notice-added = Watching { $target } from now on
notice-too-many = No more targets can be watched
confirm-quit = Quit? Ticks and notes of this session are not kept.
notice-removed = No longer watched
notice-noted = Noted
notice-copied = Sent to the terminal's clipboard
notice-copied-tmux = Copied to tmux's buffer
notice-own-colours = These are the terminal's own colours; change them there
notice-copy-failed = Could not copy
notice-not-removable = { $name } was found by itself and stays as long as this host uses it
notice-no-shell = There is no shell to go back to
screen-no-terminal = The console needs a terminal for input and output. For a script, a pipe or a job: frc check
screen-dumb = This terminal (TERM) cannot place text on the screen. Without one: frc check
screen-broken = The terminal's modes cannot be set: { $errno }. Without a screen: frc check

## Screen: connectivity

connectivity-corner = { $fault ->
        [0] { $warning ->
            [0] { $unmeasured ->
                [0] { $probes } probes
               *[other] { $probes } probes, { $unmeasured } not measured
            }
           *[other] { $probes } probes, { $warning } degraded
        }
       *[other] { $warning ->
            [0] { $probes } probes, { $fault } fail
           *[other] { $probes } probes, { $fault } fail, { $warning } degraded
        }
    }
connectivity-empty = Nothing to probe yet. Press t to add a target.
strip-more = { $count } more
strip-good = { $count } well
strip-unmeasured = { $count } not measured
unmeasured-resolving = resolving
unmeasured-first-round = first round
unmeasured-udp-silence = silent; this service need not answer
unmeasured-stale = nothing measured lately
unmeasured-since = nothing measured since { $time }
unmeasured-not-permitted = not measured
unmeasured-rights = No ICMP echo for this user; frc doctor tells how to allow it
banner-rights = this user may not send ICMP, see frc doctor
role-gateway = gateway
role-resolver = ns
chart-title = { $name } { $probe }: { COUNT($answered) } of { COUNT($sent) } answered, { COUNT($late) } late; min { $min }, p50 { $p50 }, p90 { $p90 }, p99 { $p99 }, max { $max }
chart-phases = last answer { $status }: connect { $connect }, tls { $tls }, first byte { $ttfb }, total { $total }
detail-none = { "" }
detail-target = target
detail-address = address
detail-finding = finding
detail-layer = layer
detail-last = last
detail-at = { $what } at { $time }
detail-seen = { $what }, last at { $time }
detail-minute = last minute
detail-session = since start
detail-counts = { COUNT($sent) } sent, { COUNT($answered) } answered, { COUNT($late) } late, { COUNT($lost) } lost, { COUNT($refused) } refused, { COUNT($errors) } errors, { COUNT($failed) } failed, { COUNT($unsent) } not sent
detail-times = min { $min }, p50 { $p50 }, p90 { $p90 }, p99 { $p99 }, max { $max }, jitter { $jitter }
detail-rhythm = rhythm
detail-rhythm-text = every { $interval }, late after { $timeout }
detail-phases = phases
detail-error = error
detail-connection = connection
outcome-answered = answered in { MS($ms) }
outcome-http = HTTP { $status } in { MS($ms) }
outcome-dns = answered with code { $rcode } in { MS($ms) }
outcome-ntp = { MS($offset) } off, answered in { MS($ms) }
outcome-resolved = { $count ->
        [0] no address
        [one] one address
       *[other] { $count } addresses
    } in { MS($ms) }
outcome-late = late, after { MS($ms) }
outcome-lost = no answer
outcome-refused = refused in { MS($ms) }
outcome-icmp = { $from } says { $error }
outcome-failed = reached, then { $why }
outcome-unsent = not sent: { $why }

## Commands without a screen

line-finding = { $code } · { $severity } · { $side } · { $confidence } · since { TIME($since) }
line-evidence = { $probe }: { $observed }; expected: { $expected }
line-unmeasured = { $target }: not measured { $why }
line-ping = { $target }: { COUNT($sent) } sent, { COUNT($received) } received, { COUNT($late) } late, { PERCENT($loss) } lost
line-rtts = , min/p50/p90/max { $min }/{ $p50 }/{ $p90 }/{ $max } ms
line-unresolved = { $target }: no address known
line-trace-reached = { $target } ({ $address }), { $proto }, { $rounds ->
    [one] one round
   *[other] { $rounds } rounds
}: reached
line-trace-open = { $target } ({ $address }), { $proto }, { $rounds ->
    [one] one round
   *[other] { $rounds } rounds
}: not reached
line-trace-end = { $ttl }: nothing answers from here on
list-unreadable = The list cannot be read: { $why }
list-too-long = The list is longer than { BYTES($limit) }.
list-not-utf8 = The list is not UTF-8 text.
list-bad-target = Not a target: { $why }
list-empty = The list holds no target.
error-start = The probes could not be started: { $why }
error-output = The output could not be written: { $why }
doctor-head = { $host }, user id { $uid }. Everything useful works without root; this is what rights add here.
doctor-yes = yes
doctor-no = no
doctor-icmp-raw = Echo through raw ICMP sockets
doctor-icmp-dgram = Echo through ICMP datagram sockets
doctor-icmp-none = No echo: this user may open neither raw nor datagram ICMP sockets
doctor-icmp-costs = Hosts are judged by UDP and TCP instead; a host that answers only echo reads as not measured. Either command grants it:
doctor-trace-raw = Paths through ICMP, UDP and TCP probes
doctor-trace-errqueue = Paths through ICMP, UDP and TCP probes, answers read from the error queue
doctor-trace-udp = Paths through UDP and TCP probes, answers read from the error queue
doctor-packet = Packet sockets: address conflicts are seen on the wire
doctor-packet-none = No packet sockets
doctor-packet-costs = Address conflicts are judged from the neighbour table only. To grant it:
doctor-processes = Process names of every socket
doctor-processes-own = Process names of this user's own sockets only
doctor-processes-costs = Other sockets are shown without a name. To grant it:
## Runbooks

runbook-line = { $title } ({ $steps ->
    [one] one step
   *[other] { $steps } steps
}{ $own ->
    [1] , your own
   *[0] {""}
})
runbook-unreadable = It cannot be read: { $why }
runbook-no-file = This is no file.
runbook-not-utf8 = The file is not UTF-8 text.
runbook-id-of-two = The id `{ $id }` is taken: { $file } has it.
runbook-unknown = There is no runbook `{ $id }`; frc runbook list shows those there are.
runbook-unknown-near = There is no runbook `{ $id }`: did you mean `{ $near }`?
runbook-page-why = why: { $text }
runbook-page-expect = expect: { $text }
runbook-page-check = check: { $text }
runbook-page-hold = hold: { DURATION($seconds) }
runbook-page-time-box = time-box: { DURATION($seconds) }
runbook-page-role = role: { $text }
runbook-page-rollback = way back: { $text }
runbook-page-link = more: { $text }
runbook-file-too-long = The file is longer than { BYTES($limit) }.
runbook-no-steps = There are no steps in it. A step is a task-list item: - [ ] Check the link
runbook-too-many-steps = More than { COUNT($limit) } steps; split the runbook.
runbook-step-empty = The step has no words.
runbook-front-matter = The front matter is not TOML: { $why }
runbook-unknown-key = Unknown key `{ $key }`. Known here: { $known }.
runbook-unknown-key-near = Unknown key `{ $key }`: did you mean `{ $near }`?
runbook-empty-value = Nothing stands behind `{ $key }`.
runbook-key-twice = `{ $key }` stands here for the second time.
runbook-too-long = The text is longer than { COUNT($limit) } characters.
runbook-attribute-line = Expected `key: value`, as in `why: The gateway carries everything.`
runbook-bad-id = An id has 1 to 64 lower-case letters, digits, hyphens or underscores.
runbook-id-twice = The id `{ $id }` stands here for the second time.
runbook-bad-title = The title is text in quotes.
runbook-bad-match = `match` lists finding codes, as in ["dns.*", "path.loss"].
runbook-bad-severity = The severity is one of "SEV1", "SEV2", "SEV3", "SEV4".
runbook-duration = Not a stretch of time: { $why }.
runbook-hold-without-check = A hold time needs a check that can hold.

## Runbooks: conditions

condition-empty = The condition is empty.
condition-too-long = The condition is longer than { COUNT($limit) } characters.
condition-too-deep = The condition is nested too deeply.
# $why is the CEL parser's own explanation.
condition-syntax = Not a condition: { $why }
condition-unknown = Unknown word `{ $word }` in the condition.
condition-unknown-near = Unknown word `{ $word }` in the condition: did you mean `{ $near }`?
condition-number-alone = `{ $word }` is not true or false; compare it, as in loss("gateway") < 0.01.
condition-not-a-number = `{ $word }` is not a number.
condition-whole-division = Whole numbers divide to whole numbers in CEL; write 1.0 / 2.0.
condition-takes-nothing = `{ $word }` takes nothing between its parentheses.
condition-takes-subject = `{ $word }` takes one name in quotes, as in { $word }("gateway").
condition-takes-maybe = `{ $word }` takes one name in quotes, or nothing.
condition-takes-port = `{ $word }` takes a port, as in { $word }(5432).

## Runbooks: what the probes saw of a condition

saw-two = { $a }, { $b }
saw-three = { $a }, { $b }, { $c }
saw-nothing = { $named ->
    [0] { $what } not measured
   *[1] { $subject }: { $what } not measured
}
saw-loss = { $subject }: { PERCENT($value) } lost
saw-rtt-p50 = { $subject }: median { MS($value) }
saw-rtt-p90 = { $subject }: 90th percentile { MS($value) }
saw-rtt-p99 = { $subject }: 99th percentile { MS($value) }
saw-baseline = { $subject }: usually { MS($value) }
saw-success = { $subject }: { PERCENT($value) } passed
saw-probes = { $subject }: { $value ->
    [one] { COUNT($value) } probe
   *[other] { COUNT($value) } probes
}
saw-dns-ms = { $subject }: DNS answers in { MS($value) }
saw-clock-offset = clock off by { NUMBER($value) } s
saw-certificate-days = { $subject }: { $value ->
    [one] certificate valid for { COUNT($value) } day
   *[other] certificate valid for { COUNT($value) } days
}
saw-cpu = CPU { PERCENT($value) }
saw-memory = memory { PERCENT($value) }
saw-disk = { $named ->
    [0] fullest disk { PERCENT($value) }
   *[1] { $subject } { PERCENT($value) } full
}
saw-io-pressure = waiting for storage { PERCENT($value) }
saw-finding = { $named ->
    [0] { $value ->
        [1] a finding stands
       *[0] no finding
    }
   *[1] { $value ->
        [1] { $subject } stands
       *[0] no { $subject }
    }
}
saw-listening = { $value ->
    [1] port { $subject } listens
   *[0] nothing listens on port { $subject }
}
saw-answers = { $value ->
    [1] { $subject }: answered
   *[0] { $subject }: no answer
}
saw-measured = { $value ->
    [1] { $subject }: measured
   *[0] { $subject }: not measured
}
saw-link-up = { $value ->
    [1] link up
   *[0] link down
}
saw-has-address = { $value ->
    [1] address present
   *[0] no address
}
saw-has-route = { $value ->
    [1] a route leads out
   *[0] no route
}
saw-writable = { $value ->
    [1] disks writable
   *[0] a disk turned read-only
}
subject-gateway = gateway
subject-resolvers = resolvers
subject-targets = targets
what-loss = loss
what-rtt-p50 = median round trip
what-rtt-p90 = 90th percentile of the round trip
what-rtt-p99 = 99th percentile of the round trip
what-baseline = usual round trip
what-success = share of probes passed
what-probes = number of probes
what-dns-ms = DNS answer time
what-clock-offset = clock offset
what-certificate-days = certificate lifetime
what-cpu = CPU
what-memory = memory
what-disk = disk space
what-io-pressure = waiting for storage
what-finding = finding
what-listening = listening port
what-answers = answer
what-measured = measurement
what-link-up = link
what-has-address = address
what-has-route = route
what-writable = writable disks
failure-silent = silence
failure-reset = a reset
failure-closed = closed without an answer
failure-alert = TLS alert { $code }
failure-incompatible = no common TLS: { $why }
failure-protocol = not the protocol: { $why }
unsent-not-permitted = this user may not send it
unsent-no-route = no route
unsent-route-refuses = the route says no
unsent-filtered = this host's own filter
unsent-no-source = no usable source address
unsent-interface-down = interface down
unsent-budget = held back by the packet budget
unsent-unresolved = no address known yet
unsent-local = { $why }

## Screen: path

path-none = No path is traced. Select a target in pane 1 and press T.
path-waiting = Tracing: the first answers are on their way
path-first-round = { $proto }, first round
path-corner = { $proto }, { $hops ->
        [one] one hop
       *[other] { $hops } hops
    }
path-corner-changed = { $proto }, { $hops ->
        [one] one hop
       *[other] { $hops } hops
    }, changed { $time }
path-corner-unsent = { $proto }, not measured
path-corner-of = { $n } of { $of } · { $what }
path-strip-first = { $name }: first round
path-strip-whole = { $name }: { $hops ->
        [one] one hop
       *[other] { $hops } hops
    }, all the way
path-strip-ends = { $name }: ends after { $address }, hop { $hop }
path-strip-nothing = { $name }: no hop answers
path-silent = no answer
path-unsent = not measured: no packet leaves this host; pane 1 says why
path-strip-unsent = { $name }: not measured
path-last = last to answer
path-end = nothing answers from here on
path-error = { $from } says { $error }
path-before = before: { $address }
path-before-target = before: { $address }, the target
path-siblings = and { $count } beside it
path-changed-hop = { $time } hop { $hop }: { $before } became { $after }
path-hop-title = Hop { $hop }
path-chart = hop { $hop } { $name }: { COUNT($answered) } of { COUNT($sent) } answered
path-counts = { COUNT($sent) } sent, { COUNT($answered) } answered, { COUNT($late) } late
path-times = min { $min }, p50 { $p50 }, p90 { $p90 }, p99 { $p99 }, max { $max }
path-reached-last = reached last
path-change = changed
path-before-word = before
path-after-word = after

## Screen: NIC

nic-waiting = Reading the interfaces
nic-none = No interface but loopback
nic-up = up
nic-down = down
nic-no-carrier = no carrier
nic-kind = mtu { $mtu } { $kind }
nic-full = full
nic-half = half
nic-rates = rx { BITRATE($rx) }  tx { BITRATE($tx) }
nic-faults = errors { COUNT($errors) }  drops { COUNT($drops) }
nic-scale = to { BITRATE($top) }
nic-no-address = no address beyond link-local
nic-gateway = gw { $address } at { $mac }
nic-gateway-unresolved = gw { $address } not resolved
nic-tables = { $failed ->
        [0] neighbours { $neighbours }  routes { $routes }
       *[other] neighbours { $neighbours }, { $failed } failed  routes { $routes }
    }
nic-others = { $count ->
        [one] one more interface
       *[other] { $count } more interfaces
    }
nic-unresolved = not resolved
nic-mac = mac
nic-head-counters = counters, and growth in 3 min
nic-head-neighbours = neighbours
nic-head-routes = routes
nic-head-interfaces = interfaces

## Screen: services

services-waiting = Listing the sockets
services-corner = { $missing ->
        [0] { $count } listen
       *[other] { $count } listen, { $missing } missing
    }
services-missing = expected, nobody listens
services-missing-named = nobody listens: { $name }
services-nameless = – names: see frc doctor
services-loopback = local
services-loopback-only = loopback only
services-states = { COUNT($established) } estab, { COUNT($waiting) } time-wait
services-estab = estab
services-time-wait = t-wait
services-others = opening { COUNT($opening) }  closing { COUNT($closing) }  close-wait { COUNT($close_wait) }
services-queue = { COUNT($queue) } wait to be accepted, at most { COUNT($limit) }
services-incomplete = Names of other users' processes need more rights; see frc doctor.

## Screen: runbook

runbook-corner = step { $step } of { $steps }
runbook-done = every step done
runbook-phase = { $done } of { $steps }
runbook-why = why
runbook-expect = expect
runbook-back = back
runbook-seen = seen
runbook-run = run
runbook-due = due { $time }
runbook-not-yet = not yet
runbook-was = was so { $time }
runbook-unmeasured = not measured
runbook-lately = Lately
phase-fault = Fault
phase-response = Response
phase-confirm = Confirm
runbook-waiting = Waiting for the first verdict
runbook-nothing = Nothing is wrong with what is watched

## Screen: timeline

timeline-empty = Nothing happened yet
event-path = The path to { $to } changed at hop { $hop }
event-link-up = { $name } is up
event-link-down = { $name } went down
event-target-added = Watching { $name }
event-target-removed = No longer watching { $name }
event-gap = Nothing was measured for { DURATION($seconds) }: the console was stopped
event-clock-step = The wall clock was set by { MS($ms) }
event-task-running = { $task } runs again
event-task-restarting = { $task } failed and starts again: { $why }
event-task-unavailable = { $task } cannot work here: { $why }
event-ticked = ticked { $step }
event-unticked = took back { $step }
event-runbook = began the runbook { $id }
event-note = { $text }
who-console = console

## Screen: host

host-waiting = Reading the host's load
host-up = up { AGE($seconds) }
host-cpu = cpu
host-cpus = { PERCENT($share) } of { $count ->
        [one] one CPU
       *[other] { $count } CPUs
    }
host-memory = memory
host-swap = swap
host-files = files
host-conntrack = conntrack
host-of = { BYTES($used) } of { BYTES($total) }
host-files-of = { COUNT($used) } of { COUNT($limit) }
host-disk-hung = does not answer
host-disk-read-only = { BYTES($used) } of { BYTES($total) }, read-only
host-load = load { $one } { $five } { $fifteen }
host-pressure = waiting for cpu { PERCENT($cpu) }, memory { PERCENT($memory) }, disks { PERCENT($io) }
host-resolvers = resolvers { $servers }
host-no-resolver = no resolver configured
host-dropped = { COUNT($count) } { $what } left out because a limit was reached
task-restarted = { $task } was started again { $times ->
        [one] once
       *[other] { $times } times
    }
rights-icmp-raw = echo by raw socket
rights-icmp-dgram = echo by datagram socket
rights-icmp-none = no echo for this user; see frc doctor
rights-trace-raw = traces by raw socket
rights-trace-errqueue = traces by error queue, no rights needed
