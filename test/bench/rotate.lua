-- Sends signed requests in turn. Arguments: method, file of requests, file of the body or nothing.
-- A request is one line: path, name, value, name, value …, separated by tabs.
local requests = {}
local position = 0
local method, body

function init(arguments)
  method = arguments[1]
  if arguments[3] then
    local file = assert(io.open(arguments[3], "rb"))
    body = file:read("*a")
    file:close()
  end
  for line in io.lines(arguments[2]) do
    local fields = {}
    for field in line:gmatch("[^\t]+") do fields[#fields + 1] = field end
    local headers = {}
    for index = 2, #fields, 2 do headers[fields[index]] = fields[index + 1] end
    local parts = { path = fields[1], headers = headers }
    -- Large bodies are put in place while running: prepared, they would not fit into memory.
    if body == nil or #body <= 4096 then parts.text = wrk.format(method, parts.path, headers, body) end
    requests[#requests + 1] = parts
  end
end

function request()
  position = position % #requests + 1
  local parts = requests[position]
  return parts.text or wrk.format(method, parts.path, parts.headers, body)
end

function done(summary, latency, _)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout + errors.status
  io.write(string.format(
    '\n{"requests":%d,"bytes":%d,"durationUs":%d,"failed":%d,"p50Us":%d,"p99Us":%d}\n',
    summary.requests, summary.bytes, summary.duration, failed,
    latency:percentile(50), latency:percentile(99)
  ))
end
