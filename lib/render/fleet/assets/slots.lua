-- How busy copilots and tenants are, in HAProxy.

-- Seconds for which HAProxy's word on a server's health is believed.
local health_age = 0.1

local function now()
  local time = core.now()
  return time.sec + time.usec / 1000000
end

-- Requests in progress under this key in one of HAProxy's tables.
local function in_progress(txn, key, counters)
  return tonumber(txn.c:table_conn_cur(key, counters)) or 0
end

local function is_up(txn, server, time)
  if server.asked == nil or math.abs(time - server.asked) > health_age then
    -- Without the backend's name before it: HAProxy 2.6 overwrites the slash, in Lua's own copy of the text.
    server.is_up, server.asked = txn.f:srv_is_up(server.name) == 1, time
  end
  return server.is_up
end

-- Whether a server has room. Requests that take no slot do not fill it, however many somebody sends.
local function has_room(txn, server, takes_slot)
  local busy = in_progress(txn, server.name, "generations")
  if takes_slot then return busy < server.slots end
  return txn.f:srv_conn(server.name) - busy < spare
end

-- Whether the request would take the last slot of the fleet for a tenant that holds all others: it is kept for the other
-- tenants. `held`: by requests on servers that have left the fleet, too.
local function takes_last(txn, held, time)
  if held == 0 then return false end
  local slots, busy = 0, 0
  for _, server in pairs(servers) do
    if is_up(txn, server, time) then slots = slots + server.slots end
  end
  if held < slots - 1 then return false end
  for name, server in pairs(servers) do
    if is_up(txn, server, time) then busy = busy + in_progress(txn, name, "generations") end
  end
  return busy > 0 and busy >= slots - 1 and held >= busy
end

-- The slots that the tenant holds. It is named only if there are several.
local function held_by(txn, tenant)
  return tenant and in_progress(txn, tenant, "tenants") or 0
end
