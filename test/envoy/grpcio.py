"""Calls of Python's gRPC to the listener on the Unix socket argv[1]. One line of JSON: what came of each."""

import json
import sys
import threading

import grpc

CHECK = "/envoy.service.auth.v3.Authorization/Check"
outcomes = {}


def outcome(call):
    try:
        return call().hex()
    except grpc.RpcError as error:
        return error.code().name


def main(path):
    with grpc.insecure_channel(f"unix:{path}") as channel:
        check = channel.unary_unary(CHECK)
        outcomes["one"] = outcome(lambda: check(b"one", timeout=5))
        outcomes["empty"] = outcome(lambda: check(b"", timeout=5))
        outcomes["large"] = outcome(lambda: check(bytes(3_000_000), timeout=10))
        outcomes["too large"] = outcome(lambda: check(bytes(9_000_000), timeout=10))
        outcomes["with metadata"] = outcome(lambda: check(b"m", timeout=5, metadata=[("x-a", "b" * 500), ("x-bin", b"\x00\xff")]))
        outcomes["compressed"] = outcome(lambda: check(bytes(5_000), timeout=5, compression=grpc.Compression.Gzip))
        outcomes["late"] = outcome(lambda: check(b"never", timeout=0.05))
        outcomes["unknown"] = outcome(lambda: channel.unary_unary("/a.b/C")(b"x", timeout=5))
        outcomes["health"] = outcome(lambda: channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=5))
        watch = channel.unary_stream("/grpc.health.v1.Health/Watch")(b"", timeout=5)
        outcomes["watch"] = next(watch).hex()
        watch.cancel()
        outcomes["at once"] = at_once(check)
    print(json.dumps(outcomes))


def at_once(check):
    """2,000 calls of eight threads; how often each outcome came."""
    counts = {}
    lock = threading.Lock()

    def work():
        for index in range(250):
            got = outcome(lambda: check(b"later" if index % 3 == 0 else b"x" * index, timeout=20))
            with lock:
                counts[got] = counts.get(got, 0) + 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counts


main(sys.argv[1])
