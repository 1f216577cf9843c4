"""The same sweep by libcurl's multi interface: HEAD, a new connection for each, many at once.

curl_multi.py ADDRESSES CHECKS IN_FLIGHT TIMEOUT_MS [CA]: addresses with commas between them.
"""

import sys
from io import BytesIO

import pycurl

addresses = sys.argv[1].split(",")
checks, in_flight, timeout = map(int, sys.argv[2:5])
authority = sys.argv[5] if len(sys.argv) > 5 else None

multi = pycurl.CurlMulti()
multi.setopt(pycurl.M_MAXCONNECTS, in_flight)
scheme = "https" if authority else "http"
begun = ended = 0
free = []
for _ in range(min(in_flight, checks)):
    handle = pycurl.Curl()
    handle.setopt(pycurl.NOBODY, 1)
    handle.setopt(pycurl.FRESH_CONNECT, 1)
    handle.setopt(pycurl.FORBID_REUSE, 1)
    handle.setopt(pycurl.NOSIGNAL, 1)
    handle.setopt(pycurl.TIMEOUT_MS, timeout)
    handle.setopt(pycurl.USERAGENT, "UptimeSquirrel")
    if authority:
        handle.setopt(pycurl.CAINFO, authority)
    free.append(handle)
while ended < checks:
    while free and begun < checks:
        handle = free.pop()
        handle.setopt(pycurl.URL, f"{scheme}://{addresses[begun % len(addresses)]}/{begun}")
        handle.setopt(pycurl.WRITEDATA, BytesIO())
        multi.add_handle(handle)
        begun += 1
    while multi.perform()[0] == pycurl.E_CALL_MULTI_PERFORM:
        pass
    while True:
        left, good, bad = multi.info_read()
        for handle in good + [failed[0] for failed in bad]:
            multi.remove_handle(handle)
            free.append(handle)
            ended += 1
        if left == 0:
            break
    if not free or begun == checks:
        multi.select(1.0)
