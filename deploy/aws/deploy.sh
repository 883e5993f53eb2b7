#!/usr/bin/env bash
# Brings an installed stack to an image: deploy/aws/deploy.sh STACK IMAGE@sha256:DIGEST
# The databases come first, by the new image, while the old one still serves. Where the new one does not come up,
# ECS gives up and CloudFormation goes back to the old one; the databases stay migrated.
set -euo pipefail

stack=$1 image=$2
template=$(dirname "$0")/warehouse.yaml

update() { # NAME=VALUE of each parameter that changes
    aws cloudformation deploy --stack-name "$stack" --template-file "$template" --capabilities CAPABILITY_IAM \
        --no-fail-on-empty-changeset --parameter-overrides "$@"
}

output() { # NAME
    aws cloudformation describe-stacks --stack-name "$stack" --output text \
        --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"
}

update MigrateImage="$image"
cluster=$(output Cluster)
task=$(aws ecs run-task --cluster "$cluster" --task-definition "$(output MigrateTask)" --launch-type FARGATE \
    --network-configuration "$(output TaskNetwork)" --output text --query 'tasks[0].taskArn')
for _ in 1 2 3 4 5 6; do # aws waits ten minutes at a time
    if aws ecs wait tasks-stopped --cluster "$cluster" --tasks "$task"; then break; fi
done
code=$(aws ecs describe-tasks --cluster "$cluster" --tasks "$task" --output text --query 'tasks[0].containers[0].exitCode')
if [ "$code" != 0 ]; then # None where it never started or has not ended
    echo "error: the task that prepares the databases, $task, ended with ${code:-None}: nothing else was changed;" \
        "see the log group $(output Log)" >&2
    exit 1
fi
update Image="$image"
aws ecs wait services-stable --cluster "$cluster" --services "$(output WebService)" "$(output WorkerService)"
