-- wrk's requests: a distinct project each, the same for Marquee and for serve_peer.py.
--   wrk -t1 -c8 -d20s -s benches/peers/serve.lua http://127.0.0.1:8080/api/v1/outlooks -- TOKEN
--   wrk -t1 -c8 -d20s -s benches/peers/serve.lua http://127.0.0.1:9001/outlooks
local genres = { "Action", "Comedy", "Drama", "Horror", "Thriller/Suspense" }
local ratings = { "PG", "PG-13", "R" }
local n = 0

function init(args)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  if args[1] then wrk.headers["Authorization"] = "Bearer " .. args[1] end
end

function request()
  n = n + 1
  local body = string.format(
    '{"as_of":"2011-03-01","projects":[{"name":"P%d","budget":%d,"release_date":"2012-%02d-%02d","genres":["%s"],"age_rating":"%s"}]}',
    n, 1000000 + (n * 7919) % 150000000, 1 + n % 12, 1 + n % 28, genres[1 + n % #genres], ratings[1 + n % #ratings])
  return wrk.format(nil, nil, nil, body)
end

function response(status)
  if status ~= 200 then errors = (errors or 0) + 1 end
end
