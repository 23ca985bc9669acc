-- wrk's script: which requests are sent, and what counts as a failure.
--   wrk ... -s load.lua URL -- KIND KEYS START SPAN
-- KIND: static ping unsigned signed again issue activate activate-unsigned release renew update mixed; KEYS: file of lines
-- `KEY COMPUTER-ID`; START: number of the first request, so that no run repeats another's orders and computers; SPAN: how many
-- keys are used in turn. The last lines of the output are for bench.py.
-- Run with one thread: numbers are counted in it.

local service = "/qlm/qlmservice.asmx/"
local version = "&is_productid=1&is_majorversion=1&is_minorversion=0"
local form = { ["Content-Type"] = "application/x-www-form-urlencoded" }

local expected = {
  static = "</html>", ping = "</serverVersion>", unsigned = "<status>2</status>",
  signed = "</SignatureValue></Signature></QuickLicenseManager>",
  activate = "</SignatureValue></Signature></QuickLicenseManager>", issue = "^%w%w%w%w%w%-",
}

failures = 0
local threads = {}
local keys, ids = {}, {}
local number, span

function setup(thread)
  table.insert(threads, thread)
end

local function read_keys(path)
  for line in io.lines(path) do
    local key, id = line:match("^(%S+) (%S+)$")
    keys[#keys + 1], ids[#ids + 1] = key, id
    if #keys == span then break end
  end
  span = #keys
end

function init(arguments)
  kind, number, span = arguments[1], tonumber(arguments[3]), tonumber(arguments[4])
  read_keys(arguments[2])
end

-- Case does not count in a computer id, but it is echoed as it came: the document is new each time.
local function spell(id, pass)
  local letters = { id:byte(1, -1) }
  for i = 1, #letters do
    if pass % 2 == 1 then letters[i] = letters[i] - 32 end
    pass = math.floor(pass / 2)
  end
  return string.char(unpack(letters))
end

local function validate(sign, pass)
  local at = number % span + 1
  return wrk.format("GET", service .. "ValidateLicenseHttp?is_avkey=" .. keys[at] .. "&is_pcid="
    .. (pass and spell(ids[at], pass) or ids[at]) .. version .. "&is_sign=" .. sign)
end

local function activate(sign)
  return wrk.format("GET", service .. "ActivateKey?is_avkey=" .. keys[number % span + 1]
    .. "&is_pcid=BENCH-" .. number .. "&is_computer_name=Desk" .. version .. "&is_sign=" .. sign)
end

local function issue(order)
  return wrk.format("POST", service .. "GetActivationKey?is_vendor=cleverbridge&is_user=demo&is_pwd=demo"
    .. version, form, "PURCHASE_ID=B" .. order .. "&RUNNING_NO=1&PRODUCT_ID=1&QUANTITY=1"
    .. "&PURCHASE_DATE=14/05/2026&EMAIL=bench" .. order .. "@customer.example&FIRSTNAME=Ada"
    .. "&LASTNAME=Byron&REG_NAME=Ada+Byron&CITY=London&COUNTRY=United+Kingdom")
end

local makers = {
  static = function() return wrk.format("GET", "/static.html") end,
  ping = function() return wrk.format("GET", service .. "PingHttp") end,
  unsigned = function() return validate("false", math.floor(number / span)) end,
  signed = function() return validate("true", math.floor(number / span)) end,
  again = function() return validate("true") end,
  activate = function() return activate("true") end,
  ["activate-unsigned"] = function() return activate("false") end,
  issue = function() return issue(number) end,
}
expected["activate-unsigned"] = expected.unsigned
expected.again = expected.signed

-- Changes of licenses that are there (their maintenance plan is what can be renewed), in turn, so that hardly two calls mean the same one. A release
-- gives back the seat that a call some time before it took.
local shop = "is_vendor=cleverbridge&is_user=demo&is_pwd=demo&is_avkey="
makers.renew = function()
  return wrk.format("GET", service .. "EnableMaintenancePlan?" .. shop .. keys[number % span + 1]
    .. "&is_maintplan=1&is_maintdate=2090-01-" .. string.format("%02d", 1 + number % 28) .. "&PURCHASE_ID=R" .. number)
end
makers.update = function()
  return wrk.format("GET", service .. "UpdateLicenseHttp?" .. shop .. keys[number % span + 1]
    .. "&is_features=0:" .. number % 200 .. "&is_userdata1=N" .. number)
end
makers.release = function()
  local at = math.floor((number % 2 == 0 and number or number - 64) / 2) % span + 1
  if number % 2 == 0 then
    return wrk.format("GET", service .. "ActivateKey?is_avkey=" .. keys[at] .. "&is_pcid=MOVE-" .. at .. version)
  end
  return wrk.format("GET", service .. "ReleaseLicenseHttp?" .. shop .. keys[at] .. "&is_pcid=MOVE-" .. at)
end
expected.renew, expected.update = expected.issue, expected.issue
expected.release = "</QuickLicenseManager>"

-- A day of a server: of twenty calls eleven validations, two new orders, three repeated ones, two activations, and two
-- refusals, of a mistyped key and of a product that does not exist.
local day = { "unsigned", "signed", "issue", "unsigned", "activate", "repeated", "unsigned", "again", "mistyped", "unsigned",
  "repeated", "unsigned", "issue", "signed", "unsigned", "activate-unsigned", "repeated", "unsigned", "unknown", "unsigned" }
makers.repeated = function() return issue(number - number % 20 + 2 - 2000) end
makers.mistyped = function()
  return wrk.format("GET", service .. "ValidateLicenseHttp?is_avkey=" .. keys[number % span + 1]:reverse() .. "&is_pcid=X" .. version)
end
makers.unknown = function()
  return wrk.format("GET", service .. "ActivateKey?is_avkey=" .. keys[number % span + 1] .. "&is_pcid=X"
    .. "&is_productid=9&is_majorversion=1&is_minorversion=0")
end
makers.mixed = function() return makers[day[number % 20 + 1]]() end

-- What came, of each kind: the answers of one connection do not say what was asked.
answers = { keys = 0, documents = 0, refusals = 0 }
local function sort_out(status, body)
  local what = body:find("^%w%w%w%w%w%-") and "keys" or body:find("<errorCode>", 1, true) and "refusals"
    or body:find("<status>2</status>", 1, true) and "documents"
  if status == 200 and what then
    answers[what] = answers[what] + 1
    return true
  end
end

function request()
  number = number + 1
  return makers[kind]()
end

function response(status, headers, body)
  local is_good
  if kind == "mixed" then
    is_good = sort_out(status, body)
  else
    is_good = status == 200 and body:find(expected[kind], 1, expected[kind] ~= expected.issue)
  end
  if not is_good then
    failures = failures + 1
    if failures == 1 then io.stderr:write(status, " ", body, "\n") end
  end
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.write + errors.timeout
  for _, thread in ipairs(threads) do
    failed = failed + thread:get("failures")
    if thread:get("kind") == "mixed" then
      local came = thread:get("answers")
      io.write(string.format("MIXED %d %d %d\n", came.keys, came.documents, came.refusals))
    end
  end
  io.write(string.format("RESULT %d %d %.1f %.1f %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), failed, errors.read))
end
