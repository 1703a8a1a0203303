-- SPDX-License-Identifier: MIT
-- Answers as sheets: the card of a Ticket, the tree of what holds it.
local marks, text = require('ticketplan.marks'), require('ticketplan.text')

local M = {}

local function add_reasons(sheet, reasons, width)
	local longest = 0
	for _, reason in ipairs(reasons) do
		longest = math.max(longest, #reason.code)
	end
	for _, reason in ipairs(reasons) do
		local hold = reason.severity == 'hold'
		sheet:line():add(
			text.pad(reason.code, longest) .. '  ',
			hold and 'TicketplanHeld' or 'TicketplanNote'
		)
		sheet:flow(text.plain(reason.text), nil, (' '):rep(longest + 2), width)
	end
end

-- How others see it, and it them, in one line a kind.
local function add_records(sheet, told, width)
	local kinds, order = {}, {}
	for _, list in ipairs({ told.outgoing, told.incoming }) do
		for _, record in ipairs(list) do
			if record.other then
				if not kinds[record.kind] then order[#order + 1] = record.kind end
				kinds[record.kind] = (
					kinds[record.kind] and kinds[record.kind] .. ', ' or ''
				) .. record.other
			end
		end
	end
	if #order > 0 then sheet:line() end
	for _, kind in ipairs(order) do
		local name = kind:gsub('_', ' ')
		sheet:line():add(name .. '  ', 'TicketplanNote')
		sheet:flow(kinds[kind], 'TicketplanId', (' '):rep(#name + 2), width)
	end
end

-- What a glance at a Ticket should show, from an answer of ticket.get.
function M.card(told, width)
	local sheet = text.sheet()
	sheet:add(told.id, 'TicketplanId'):add('  ' .. told.state, 'TicketplanNote')
	if not told.resolved then
		sheet:add('  ')
		for _, part in
			ipairs(
				marks.verdict(
					{ verdict = told.gate.verdict, reasons = {} },
					told.claims
				)
			)
		do
			sheet:add(part[1], part[2])
		end
	end
	if told.title ~= '' then sheet:line():flow(text.plain(told.title), nil, '', width) end
	local reasons = told.resolved and {} or told.gate.reasons
	if #reasons > 0 then sheet:line() end
	add_reasons(sheet, reasons, width)
	add_records(sheet, told, width)
	for _, problem in ipairs(told.problems) do
		sheet:line():add('problem  ', 'TicketplanHeld')
		sheet:flow(text.plain(problem.text), nil, '         ', width)
	end
	return sheet
end

-- The lines of the levels above each node, as far as branches go on there.
local function leads(nodes)
	local lead, more = {}, {}
	for at = #nodes, 1, -1 do
		local depth, line = nodes[at].depth, ''
		for level = 1, depth - 1 do
			line = line .. (more[level] and '│  ' or '   ')
		end
		local deeper = nodes[at + 1] and nodes[at + 1].depth > depth
		lead[at] = {
			first = depth > 0 and line .. (more[depth] and '├─ ' or '└─ ')
				or '',
			rest = depth > 0
					and line .. (more[depth] and '│  ' or '   ') .. (deeper and '│' or ' ')
				or '',
		}
		for level = depth + 1, #more do
			more[level] = false
		end
		for level = #more + 1, depth do
			more[level] = false
		end
		more[depth] = true
	end
	return lead
end

local function add_root(sheet, node, answer)
	sheet:add(node.ticket, 'TicketplanId')
	if node.title then sheet:add('  ' .. text.plain(node.title)) end
	sheet:add('  ' .. (node.state or ''), 'TicketplanNote'):add('  ')
	for _, part in ipairs(marks.verdict({ verdict = answer.verdict, reasons = {} })) do
		sheet:add(part[1], part[2])
	end
end

local function add_node(sheet, node, lead, width)
	local code = node.code or ''
	sheet:line():add(lead.first, 'TicketplanFaint'):add(code .. '  ', 'TicketplanHeld')
	local below = lead.rest .. (' '):rep(#code + 1)
	sheet:flow(text.plain(node.text or node.ticket or ''), nil, below, width)
	if node.cycle then sheet:add('  (it waits for itself)', 'TicketplanHeld') end
	if node.repeated then sheet:add('  (see above)', 'TicketplanNote') end
end

-- The tree of ticket.why, and what each line of it is about.
function M.why(answer, width)
	local sheet, rows = text.sheet(), {}
	local lead = leads(answer.nodes)
	for at, node in ipairs(answer.nodes) do
		local from = sheet:row() + (at > 1 and 1 or 0)
		if at == 1 then
			add_root(sheet, node, answer)
		else
			add_node(sheet, node, lead[at], width)
		end
		for line = from, sheet:row() do
			rows[line] = { ticket = node.ticket, record = node.record }
		end
	end
	if answer.verdict == 'clear' then
		sheet:line():add('nothing holds it', 'TicketplanFaint')
	end
	if answer.returned < answer.count then
		sheet:line()
			:add(('%d more'):format(answer.count - answer.returned), 'TicketplanFaint')
	end
	return sheet, rows
end

local function add_brief_line(sheet, line)
	if line:match('^#') then return sheet:add(line, 'TicketplanId'):line() end
	local mark, id, rest = line:match('^(%- )([%w._-]+)(.*)$')
	if not id then
		return sheet:add(line, line:match('^ ') and 'TicketplanFaint' or nil):line()
	end
	sheet:add(mark, 'TicketplanFaint'):add(id, 'TicketplanId'):add(rest):line()
end

function M.brief(answer)
	local sheet, rows = text.sheet(), {}
	for _, line in ipairs(text.lines(answer.text)) do
		rows[sheet:row()] = { ticket = line:match('^%- ([%w._-]+)') }
		add_brief_line(sheet, line)
	end
	return sheet, rows
end

return M
