# The certification test: app_handler starts a VM with the context parameters in metadata.yaml.
require 'json'
require_relative '../../../lib/community/app_handler'

describe 'SLM-Copilot' do
    include_context('vm_handler')

    # vm.ssh puts a command between double quotes in a shell of the front-end, which must not expand anything in it.
    def run(command)
        @info[:vm].ssh(command.gsub(/["$`\\]/) { |special| "\\#{special}" })
    end

    # The status and the body that a chat completion is answered with. The key travels on stdin.
    def chat(key)
        request = { :messages => [{ :role => 'user', :content => 'Hello!' }], :max_tokens => 16 }
        command = 'curl --silent --show-error --max-time 900 --cacert /etc/ssl/slm-copilot/ca.crt ' \
                  "--header @- --json '#{JSON.generate(request)}' --write-out '\\n%{http_code}' " \
                  "https://localhost/v1/chat/completions <<< 'Authorization: Bearer #{key}'"
        execution = run(command)
        expect(execution.exitstatus).to eq(0), execution.stderr
        *body, status = execution.stdout.lines
        [status.to_i, JSON.parse(body.join)]
    end

    # Loading the model takes as long as reading it from the disk does.
    it 'says in the message of the day that it is ready' do
        deadline = Time.now + 1200
        motd = nil
        loop do
            motd = run('cat /etc/motd').stdout
            break if motd.include?('All set and ready to serve') || Time.now > deadline

            sleep 5
        end
        expect(motd).to include('All set and ready to serve')
    end

    ['slm-copilot', 'slm-copilot-admission', 'nginx'].each do |service|
        it "runs #{service}.service" do
            expect(run("systemctl is-active #{service}.service").stdout).to eq("active\n")
        end
    end

    it 'has written its report, which only root can read' do
        expect(run('stat --format=%U:%a /etc/one-appliance/config').stdout).to eq("root:600\n")
        report = run('cat /etc/one-appliance/config').stdout
        expect(report).to include(APP_CONTEXT_PARAMS[:ONEAPP_COPILOT_API_PASSWORD])
        expect(report).to match(%r{^endpoint += https://})
    end

    it 'answers a chat completion over TLS, with the key from the context' do
        status, answer = chat(APP_CONTEXT_PARAMS[:ONEAPP_COPILOT_API_PASSWORD])
        expect(status).to eq(200), answer.to_s
        expect(answer['choices'][0]['message']['content']).not_to be_empty
    end

    it 'refuses another key' do
        status, answer = chat('not-the-key-of-this-vm')
        expect(status).to eq(401)
        expect(answer['error']).not_to be_nil
    end

    it 'passes its own smoke test' do
        run('slm-copilot smoke-test').expect_success
    end

    it 'reports that it is serving' do
        run('slm-copilot status').expect_success
    end
end
