-- What `wrk` sends and prints for `serving.py`.
-- Arguments: kind of load, publishable key, number of the first request.
-- `back` are RETURNING visitors, one after the other; `new` visitors never seen before;
-- `event` is a conversion of one of the former, `batch` a hundred of them.

local RETURNING = 20000
local threads = 0

function setup(thread)
  thread:set("worker", threads)
  threads = threads + 1
end

local kind, key, number
local heads = { ["Content-Type"] = "text/plain" }

function init(args)
  kind, key = args[1], args[2]
  number = tonumber(args[3]) + worker * 1000000
end

-- A UUID of version 7: milliseconds, then a number that is never used twice.
local function event(n)
  local now = os.time() * 1000
  local high = math.floor(now / 65536)
  local id = string.format(
    "%08x-%04x-7000-8000-%012x", high, now - high * 65536, n
  )
  return string.format(
    '{"id":"%s","type":"conversion","visitor":"back%d","step":"purchase",'
      .. '"value":20.0,"currency":"EUR"}',
    id, n % RETURNING
  )
end

function request()
  number = number + 1
  if kind == "none" then
    return wrk.format("GET")
  end
  local body
  if kind == "event" then
    body = string.format('{"key":"%s","events":[%s]}', key, event(number))
  elseif kind == "batch" then
    local events = {}
    for i = 1, 100 do
      events[i] = event(number * 100 + i)
    end
    body = string.format('{"key":"%s","events":[%s]}', key, table.concat(events, ","))
  else
    local visitor = kind == "back" and "back" .. number % RETURNING or "v" .. number
    body = string.format('{"key":"%s","visitor":"%s"}', key, visitor)
  end
  return wrk.format("POST", nil, heads, body)
end

function done(summary, latency)
  local failed = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %f, "errors": %d, "p50_ms": %f, "p99_ms": %f}\n',
    summary.requests,
    summary.duration / 1e6,
    failed.connect + failed.read + failed.write + failed.status + failed.timeout,
    latency:percentile(50) / 1000,
    latency:percentile(99) / 1000
  ))
end
