-- Chooses the copilot for a request, in HAProxy. The lines before this file's text set `generations`: the paths that
-- occupy a slot.
--
-- HAProxy's own consistent hashing bounds a server's load by the mean of all (hash-balance-factor), and queues a request
-- at a full server while others are free (before version 3.2). Here a session goes to the first free server in an order
-- of its own: rendezvous hashing, weighted by slots. One that is added takes over its share of the sessions, and no
-- other session moves; those of a server that is full or lost go to the next in their order, and come back.

-- What the servers of the backend `fleet` can do, by name: HAProxy knows their addresses and connections.
local servers = {}

-- Requests that take no slot, such as token counts and those for services beside chat: so many beside the slots (maxconn, too).
local spare = 8

-- Mixes the bits of a whole number as SplitMix64 does: one to one.
local function mixed(number)
  number = (number ~ (number >> 30)) * 0xbf58476d1ce4e5b9
  number = (number ~ (number >> 27)) * 0x94d049bb133111eb
  return number ~ (number >> 31)
end

-- A server's place in a session's order; the smallest comes first. Exponentially distributed, with the slots as the rate:
-- so each server comes first for a share of the sessions in proportion to its slots.
local function place(session, server)
  local uniform = ((mixed(session ~ server.seed) >> 11) + 1) * 2.0 ^ -53
  return -math.log(uniform) / server.slots
end

-- Those of the servers that fit; all of them if none does.
local function preferred(all, fits)
  local found = {}
  for name, server in pairs(all) do
    if fits(server) then found[name] = server end
  end
  return next(found) and found or all
end

-- The servers with the requested model, for chat or beside it; all if none has it: each accepts further names for its own.
local function with_model(model)
  return preferred(servers, function(server)
    if server.model == model then return true end
    for _, name in pairs(server.services or {}) do
      if name == model then return true end
    end
    return false
  end)
end

-- Servers with this service beside chat, or of which that is unknown, if none is known to have it.
local function with_service(service, model)
  local found, unknown = {}, {}
  for name, server in pairs(servers) do
    if server.services == nil then
      unknown[name] = server
    elseif server.services[service] then
      found[name] = server
    end
  end
  if next(found) == nil then return unknown end
  return preferred(found, function(server) return server.services[service] == model end)
end

-- The servers for a request, and the service that it takes, if it is not chat's. A gap can be filled by a chat model, too.
local function candidates(service, model)
  if service == nil then return with_model(model), nil end
  local found = with_service(service, model)
  if service == "completion" and next(found) == nil then return with_model(model), nil end
  return found, service
end

-- How many generations a server has. Its other requests take no slot, however many somebody sends.
local function busy_slots(txn, name)
  return tonumber(txn.c:table_conn_cur(name, "generations")) or 0
end

-- Whether a server has room for the request.
local function has_room(txn, name, server, service)
  local busy = busy_slots(txn, name)
  if generations[txn.f:path()] and service == nil then return busy < server.slots end
  return txn.f:srv_conn(name) - busy < spare
end

-- The running servers of these that have room, with their places in the session's order; and how many run.
local function choice(txn, session, among, service)
  local free, running = {}, 0
  for name, server in pairs(among) do
    -- Without the backend's name before it: HAProxy 2.6 overwrites the slash, in Lua's own copy of the text.
    if txn.f:srv_is_up(name) == 1 then
      running = running + 1
      if has_room(txn, name, server, service) then
        free[#free + 1] = { name = name, place = place(session, server) }
      end
    end
  end
  return free, running
end

-- Whether the request would take the last slot of the fleet for a tenant that holds all others: it is kept for the other
-- tenants. The count by tenant, only kept if there are several, includes this request, and requests on servers that have
-- left the fleet.
local function takes_last(txn)
  local slots, busy = 0, 0
  for name, server in pairs(servers) do
    if txn.f:srv_is_up(name) == 1 then
      slots, busy = slots + server.slots, busy + busy_slots(txn, name)
    end
  end
  local held = (tonumber(txn.f:sc0_conn_cur()) or 0) - 1
  return busy > 0 and busy >= slots - 1 and held >= busy
end

-- The servers that requests have gone to first, by the request's id, which the edge proxy makes. Those of the last ten thousand
-- requests at least are known.
local recent, older, count = {}, {}, 0

local function remember(id, name)
  recent[id] = name
  count = count + 1
  if count == 10000 then recent, older, count = {}, recent, 0 end
end

-- The first of the servers in the session's order, without the one of this name.
local function first_of(free, failed)
  local first
  for _, server in ipairs(free) do
    if server.name ~= failed and (first == nil or server.place < first.place) then first = server end
  end
  return first
end

-- Sets `txn.server`, or `txn.refusal`: `none`, if no server runs, `service`, if none has it, `share`, or `full`. A repeated
-- request does not go to the server that has failed or refused it, unless no other runs.
core.register_action("choose", { "http-req" }, function(txn)
  local session = txn.c:xxh64(txn.f:req_fhdr("x-copilot-session") or "")
  local among, service = candidates(txn.f:req_fhdr("x-copilot-service"), txn.f:req_fhdr("x-copilot-model"))
  if next(servers) and next(among) == nil then
    txn:set_var("txn.refusal", "service")
    return
  end
  local free, running = choice(txn, session, among, service)
  local id = txn.f:req_fhdr("x-request-id") or ""
  local is_repeated = txn:get_var("txn.repeated") == "yes"
  local failed = is_repeated and running > 1 and (recent[id] or older[id])
  local server = first_of(free, failed)
  if server == nil then
    txn:set_var("txn.refusal", running > 0 and "full" or "none")
    return
  end
  if service then txn:set_var("txn.service", service) end
  if service == nil and takes_last(txn) then
    txn:set_var("txn.refusal", "share")
    return
  end
  if not is_repeated then remember(id, server.name) end
  txn:set_var("txn.server", server.name)
end)

-- Whether any server runs, for the health check.
core.register_fetches("fleet_is_up", function(txn)
  for name in pairs(servers) do
    if txn.f:srv_is_up(name) == 1 then return true end
  end
  return false
end)

-- By kind, the model of each service in `completion=NAME,embeddings=NAME`; nil if these are unknown.
local function services_in(text)
  if text == "?" then return nil end
  local services = {}
  for kind, model in text:gmatch("(%w+)=([^,]+)") do
    services[kind] = model
  end
  return services
end

core.register_cli({ "fleet", "set" }, "fleet set NAME SLOTS SEED MODEL SERVICES: choose this server, too", function(applet, ...)
  local _, _, name, slots, seed, model, services = ...
  servers[name] = {
    slots = tonumber(slots),
    seed = math.tointeger(tonumber(seed)),
    model = model,
    services = services_in(services),
    text = services,
  }
  applet:send("\n")
end)

core.register_cli({ "fleet", "remove" }, "fleet remove NAME: choose this server no longer", function(applet, ...)
  servers[select(3, ...)] = nil
  applet:send("\n")
end)

core.register_cli({ "fleet", "list" }, "fleet list: the servers to choose from", function(applet)
  for name, server in pairs(servers) do
    applet:send(table.concat({ name, server.slots, server.seed, server.model, server.text }, " ") .. "\n")
  end
  applet:send("\n")
end)
