-- Ends the requests at copilots that have vanished, as in a power cut. One that was sent on a connection kept from before would
-- wait for minutes, until TCP gives up. A copilot that is slow, loading or draining fails its health checks, too, but it
-- accepts connections, and what it is answering goes on.

-- Seconds: how often the program looks for them; and for how long a copilot must have been down, since a network may pause.
local look_interval, outage = 1, 2

-- Of HAProxy's control socket.
local control_address = os.getenv("CONTROL_ADDRESS")

-- HAProxy's answer to a command; nil if there is none.
local function answer_to(command)
  local socket = core.tcp()
  socket:settimeout(5)
  local answer = socket:connect(control_address) and socket:send(command .. "\n") and socket:receive("*a")
  socket:close()
  return answer
end

-- The values of a line of HAProxy's statistics. Those in quotes, which may have commas, come after the ones read here.
local function values_of(line)
  local values = {}
  for value in (line .. ","):gmatch("([^,]*),") do
    values[#values + 1] = value
  end
  return values
end

-- Calls `visit` for each server with a table of its statistics.
local function each_server(visit)
  local names
  for line in (answer_to("show stat fleet 4 -1") or ""):gmatch("[^\n]+") do
    local values = values_of(line)
    if names == nil then
      names = values
    else
      local server = {}
      for index, name in ipairs(names) do
        server[name] = values[index]
      end
      visit(server)
    end
  end
end

-- Whether it has been down for a while, and its last check could not connect.
local function has_vanished(server)
  local is_out_of_reach = server.check_status:match("L4TOUT") or server.check_status:match("L4CON")
  return is_out_of_reach and server.status:match("^DOWN") and tonumber(server.lastchg) >= outage
end

local function end_requests_of_vanished()
  each_server(function(server)
    if has_vanished(server) then answer_to("shutdown sessions server fleet/" .. server.svname) end
  end)
end

core.register_task(function()
  while true do
    core.msleep(look_interval * 1000)
    -- An error would end the task.
    local is_done, problem = pcall(end_requests_of_vanished)
    if not is_done then core.Warning("Looking for vanished copilots: " .. tostring(problem)) end
  end
end)
