-- What a router knows of its copilots, in HAProxy: which of them can answer a request, and the commands that change them.

-- What the servers of the backend `fleet` can do, by name: HAProxy knows their addresses and connections.
local servers = {}

-- Those of the servers that fit; all of them if none does, or all do.
local function preferred(all, fits)
  local found, others = {}, 0
  for name, server in pairs(all) do
    if fits(server) then found[name] = server else others = others + 1 end
  end
  return next(found) and others > 0 and found or all
end

-- The servers with the requested model, for chat or beside it; all if none has it: each accepts further names for its own.
local function with_model(model)
  if model == nil then return servers end
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

-- Whether this is the model of a completion service.
local function completes(model)
  for _, server in pairs(servers) do
    if model and server.services and server.services.completion == model then return true end
  end
  return false
end

-- The servers for a request, and the service beside chat that it takes, if it takes one. A gap can be filled by a chat
-- model, too; and on this path, a copilot's completion service answers what names its model (lib/edge/services.ts).
local function candidates(path, service, model)
  if service == nil and path == "/v1/completions" and completes(model) then service = "completion" end
  if service == nil then return with_model(model), nil end
  local found = with_service(service, model)
  if service == "completion" and next(found) == nil then return with_model(model), nil end
  return found, service
end

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
    name = name,
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

-- Whether any server runs, for the health check.
core.register_fetches("fleet_is_up", function(txn)
  for name in pairs(servers) do
    if txn.f:srv_is_up(name) == 1 then return true end
  end
  return false
end)
