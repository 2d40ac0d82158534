## Kernel feeds: why one cannot work here

network-unavailable = Links, routes and neighbours cannot be read: no rtnetlink socket ({ $error }). A sandbox (seccomp, gVisor) usually withholds it; allow AF_NETLINK.
sockets-unavailable = Sockets cannot be listed: the kernel does not offer sock_diag ({ $error }). Load it with: modprobe -a inet_diag tcp_diag udp_diag
