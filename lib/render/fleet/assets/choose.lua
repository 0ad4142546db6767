-- Chooses the copilot for a request, in HAProxy.
--
-- HAProxy's own consistent hashing bounds a server's load by the mean of all (hash-balance-factor), and queues a request
-- at a full server while others are free (before version 3.2). Here a session goes to the first free server in an order
-- of its own: rendezvous hashing, weighted by slots. One that is added takes over its share of the sessions, and no
-- other session moves; those of a server that is full or lost go to the next in their order, and come back.

-- Seconds for which a server is asked only if no other has room: after it has refused a generation, and after it has failed.
local pauses = { refused = 1, failed = 5 }

-- Seconds: how long a request waits for a slot in a full fleet, since the end of an answer may be on its way here; how often
-- it looks for one; and for how long it may rely on what another request has found.
local slot_timeout, poll_interval, result_lifetime = 0.5, 0.05, 0.005

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

-- What has become of requests, by the id that the edge proxy makes: the server that was asked, or, of a request that was
-- refused or repeated, more (attempts_of). The last ten thousand requests at least are known.
local recent, older, count = {}, {}, 0

local function remember(id, what)
  if recent[id] == nil then count = count + 1 end
  recent[id] = what
  if count == 10000 then recent, older, count = {}, recent, 0 end
end

-- The servers that were asked, the last of them, whether that has refused the request, and how many have failed.
local function attempts_of(id)
  local known = recent[id] or older[id]
  if type(known) ~= "string" then return known end
  local attempts = { asked = { [known] = true }, last = known, failures = 0 }
  remember(id, attempts)
  return attempts
end

local function pause(name, seconds)
  local server = servers[name]
  if server then server.paused_until = now() + seconds end
end

-- The attempts so far of a request that the edge proxy sends again; nil if none is known. One that was not refused has failed.
local function repeated(id)
  local attempts = attempts_of(id)
  if attempts and not attempts.is_refused then
    attempts.failures = attempts.failures + 1
    pause(attempts.last, pauses.failed)
  end
  return attempts
end

-- One that has lately refused or failed a request comes after all others.
local function comes_before(one, other)
  if one.is_paused ~= other.is_paused then return other.is_paused end
  return one.place < other.place
end

-- The first server in the session's order that has room; whether any has not; and how many run.
local function first_with_room(txn, request, asked, time)
  local session, among, takes_slot = request.session, request.among, request.takes_slot
  local order, running, first = {}, 0, nil
  for name, server in pairs(among) do
    -- It may have been removed while the request waited.
    if servers[name] == server and is_up(txn, server, time) then
      running = running + 1
      if not asked[name] then
        server.place = place(session, server)
        server.is_paused = server.paused_until ~= nil and time < server.paused_until
        order[#order + 1] = server
        if first == nil or comes_before(server, first) then first = server end
      end
    end
  end
  if first == nil or has_room(txn, first, takes_slot) then return first, false, running end
  table.sort(order, comes_before)
  for _, server in ipairs(order) do
    if server ~= first and has_room(txn, server, takes_slot) then return server, true, running end
  end
  return nil, true, running
end

-- What a request asks for. What is of the same group can go to the same servers.
local function request_of(txn)
  local path, model = txn.f:path(), txn.f:req_fhdr("x-copilot-model")
  local among, service = candidates(path, txn.f:req_fhdr("x-copilot-service"), model)
  return {
    among = among,
    group = among ~= servers and model or "",
    takes_slot = generations[path] == true and service == nil,
    session = txn.c:xxh64(txn.f:req_fhdr("x-copilot-session") or ""),
    tenant = txn.f:req_fhdr("x-copilot-tenant"),
    quota = tonumber(txn.f:req_fhdr("x-copilot-quota")) or 0,
  }
end

-- By group, until when it is known that no server has a free slot.
local full_until = {}

-- Why a request that takes a slot cannot have one: `key`, if its tenant holds as many as it may, or `full`. Or nil.
local function limit_of(txn, request, time)
  local held = held_by(txn, request.tenant)
  if request.quota > 0 and held >= request.quota then return "key" end
  if time < (full_until[request.group] or 0) then return "full" end
  return takes_last(txn, held, time) and "key" or nil
end

-- The server for a request; or nil, and why there is none:
-- `key`      its tenant holds as many slots as it may
-- `full`     no server has a free slot
-- `refused`  the servers with room have refused it, or it takes no slot, and none has room for it
-- `service`  no server has the service
-- `none`     no server runs, or two have failed: the request may be the reason
-- A server is asked once, and a second time only if no other runs.
local function chosen(txn, request, attempts)
  if next(servers) and next(request.among) == nil then return nil, "service" end
  if attempts and attempts.failures > 1 then return nil, "none" end
  local time = now()
  local limit = request.takes_slot and attempts == nil and limit_of(txn, request, time) or nil
  if limit then return nil, limit end
  local server, is_full, running = first_with_room(txn, request, attempts and attempts.asked or {}, time)
  if server == nil and running == 1 and attempts and not attempts.is_second then
    attempts.is_second = true
    server, is_full = first_with_room(txn, request, {}, time)
  end
  if server then return server.name end
  if is_full and request.takes_slot then
    if attempts == nil then full_until[request.group] = time + result_lifetime end
    return nil, "full"
  end
  return nil, (is_full or attempts and attempts.status == 429) and "refused" or "none"
end

-- Sets `txn.refusal`, or `txn.server`, and `txn.slot` if the request takes one of its slots.
core.register_action("choose", { "http-req" }, function(txn)
  local id = txn.f:req_fhdr("x-request-id") or ""
  local attempts = txn:get_var("txn.repeated") == "yes" and repeated(id) or nil
  local request, deadline = request_of(txn), now() + slot_timeout
  local server, refusal = chosen(txn, request, attempts)
  while refusal == "full" and now() < deadline do
    core.msleep(math.floor(poll_interval * 1000))
    server, refusal = chosen(txn, request, attempts)
  end
  if server == nil then
    txn:set_var("txn.refusal", refusal)
    return
  end
  if attempts == nil then
    remember(id, server)
  else
    attempts.asked[server], attempts.last, attempts.is_refused = true, server, false
  end
  txn:set_var("txn.id", id)
  txn:set_var("txn.server", server)
  if request.takes_slot then txn:set_var("txn.slot", "yes") end
end)

-- Notes that a server has refused a request, which another may still take; and whether it would refuse others' as well: no
-- tenant can drive others' sessions from a server by exceeding its own limits there.
core.register_action("refused", { "http-res" }, function(txn)
  local attempts = attempts_of(txn:get_var("txn.id"))
  if attempts then attempts.is_refused, attempts.status = true, txn.f:status() end
  if txn:get_var("txn.slot") and txn.f:res_fhdr("x-copilot-fleet-refusal") == "busy" then
    pause(txn:get_var("txn.server"), pauses.refused)
  end
end)
